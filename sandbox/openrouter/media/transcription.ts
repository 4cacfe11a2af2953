import { z } from 'zod';
import type { CatalogueModel } from '../catalogue.ts';
import type { Exchange } from '../exchange.ts';
import { measureBytes } from '../file-sizes.ts';
import { replyJson } from '../reply.ts';
import type { Reply } from '../reply.ts';
import type { State } from '../state.ts';
import { toUsd } from '../cost.ts';
import { composeText, SIMULATED_MARK } from '../text.ts';
import { countTokens } from '../tokens.ts';
import { doWork, priceOf, refuseInput, settleWork } from './do-work.ts';
import { guessSeconds } from './sound.ts';

const requestSchema = z.looseObject({
  model: z.string().min(1),
  input_audio: z.object({ data: z.base64().min(1), format: z.string().min(1) }),
  language: z.string().nullish(),
  response_format: z.enum(['json', 'verbose_json']).nullish(),
  timestamp_granularities: z.array(z.enum(['word', 'segment'])).nullish(),
});

const TOKENS_PER_SECOND = 10;

/** `POST /audio/transcriptions` in JSON: as many words as the sound is long. */
export async function answerTranscription(state: State, exchange: Exchange): Promise<Reply> {
  const parsed = requestSchema.safeParse(exchange.body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuseInput(issue?.path.join('.') ?? 'body', issue?.message ?? 'not valid');
  }
  const { model: modelId, input_audio: audio, language } = parsed.data;
  const bytes = Buffer.from(audio.data, 'base64');
  const told = (await measureBytes(state.measure, bytes)).seconds ?? guessSeconds(bytes);
  const seconds = Math.round(told * 1_000) / 1_000;
  const inputTokens = Math.ceil(seconds * TOKENS_PER_SECOND);
  return doWork(state, exchange, {
    modelId,
    output: 'transcription',
    apiType: 'stt',
    request: { audio: audio.data, language },
    price: (model: CatalogueModel) => priceOf(model, 'audio').times(inputTokens),
    make: (work, cost) => {
      const text = composeText({ seed: work.seed, task: SIMULATED_MARK, words: ['sound'], tokens: 20 });
      const outputTokens = countTokens(text);
      const headers = settleWork(state, work, {
        headers: exchange.headers,
        cost,
        apiType: 'stt',
        promptTokens: inputTokens,
      });
      return replyJson(
        {
          text,
          usage: {
            seconds,
            cost: toUsd(cost),
            input_tokens: inputTokens,
            output_tokens: outputTokens,
            total_tokens: inputTokens + outputTokens,
          },
          ...toDetails(parsed.data, text, seconds),
        },
        headers,
      );
    },
  });
}

function toDetails(request: z.output<typeof requestSchema>, text: string, seconds: number) {
  if (request.response_format !== 'verbose_json') {
    return {};
  }
  const wanted = request.timestamp_granularities ?? ['segment'];
  const spoken = text.split(/\s+/);
  const share = seconds / spoken.length;
  return {
    task: 'transcribe',
    language: request.language ?? 'en',
    duration: seconds,
    ...(wanted.includes('segment') ? { segments: [toSegment(text, seconds)] } : {}),
    ...(wanted.includes('word')
      ? { words: spoken.map((word, at) => ({ word, start: at * share, end: (at + 1) * share })) }
      : {}),
  };
}

function toSegment(text: string, end: number) {
  const unknown = { avg_logprob: 0, compression_ratio: 1, no_speech_prob: 0, temperature: 0 };
  return { id: 0, seek: 0, start: 0, end, text, tokens: [], ...unknown };
}
