import { z } from 'zod';
import type { CatalogueModel } from '../catalogue.ts';
import type { Exchange } from '../exchange.ts';
import { replyBytes } from '../reply.ts';
import type { Reply } from '../reply.ts';
import type { State } from '../state.ts';
import { doWork, priceOf, refuseInput, settleWork } from './do-work.ts';
import { drawMp3, drawSamples, SAMPLE_RATE, toSeconds } from './sound.ts';

const requestSchema = z.looseObject({
  model: z.string().min(1),
  input: z.string().min(1),
  voice: z.string().nullish(),
  speed: z.number().min(0.25).max(4).nullish(),
  response_format: z.enum(['mp3', 'pcm']).default('pcm'),
});

/** `POST /audio/speech`: bytes, priced by the character; the cost is told by `GET /generation` alone. */
export function answerSpeech(state: State, exchange: Exchange): Reply {
  const parsed = requestSchema.safeParse(exchange.body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuseInput(issue?.path.join('.') ?? 'body', issue?.message ?? 'not valid');
  }
  const { model: modelId, input, voice, response_format: format } = parsed.data;
  const voices = state.catalogue.find(modelId)?.['supported_voices'];
  if (voice && Array.isArray(voices) && !voices.includes(voice)) {
    return refuseInput('voice', `must be one of ${voices.join(', ')}`);
  }
  const characters = Array.from(input).length;
  return doWork(state, exchange, {
    modelId,
    output: 'speech',
    apiType: 'tts',
    request: { input, voice },
    price: (model: CatalogueModel) => priceOf(model, 'prompt').times(characters),
    make: (work, cost) => {
      const headers = settleWork(state, work, {
        headers: exchange.headers,
        cost,
        apiType: 'tts',
        promptTokens: characters,
      });
      const seconds = toSeconds(input);
      return format === 'mp3'
        ? replyBytes(drawMp3(seconds), { contentType: 'audio/mpeg', headers })
        : replyBytes(drawSamples(work.seed, seconds), {
            contentType: `audio/pcm;rate=${SAMPLE_RATE};channels=1`,
            headers,
          });
    },
  });
}
