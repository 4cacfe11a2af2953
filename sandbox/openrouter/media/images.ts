import type { Big } from 'big.js';
import { z } from 'zod';
import type { CatalogueModel } from '../catalogue.ts';
import type { Exchange } from '../exchange.ts';
import { drawPicture } from '../picture.ts';
import { replyJson, replyText } from '../reply.ts';
import type { Reply } from '../reply.ts';
import type { State } from '../state.ts';
import { toUsd } from '../cost.ts';
import { countTokens } from '../tokens.ts';
import { doWork, priceOf, refuseInput, settleWork } from './do-work.ts';

const requestSchema = z.looseObject({
  model: z.string().min(1),
  prompt: z.string().min(1),
  n: z.int().min(1).max(10).nullish(),
  aspect_ratio: z.string().nullish(),
  resolution: z.string().nullish(),
  size: z.string().nullish(),
  stream: z.boolean().nullish(),
  output_format: z.enum(['png', 'jpeg', 'webp', 'svg']).nullish(),
});

/** Tokens of a picture, whatever its size: prices of pictures stand in the list of endpoints. */
const TOKENS_PER_PICTURE = 1_290;

/** `POST /images`: PNG, whatever format is asked for, with the type that it has. */
export function answerImages(state: State, exchange: Exchange): Reply {
  const parsed = requestSchema.safeParse(exchange.body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuseInput(issue?.path.join('.') ?? 'body', issue?.message ?? 'not valid');
  }
  const { model: modelId, prompt, n, aspect_ratio: ratio, resolution } = parsed.data;
  const count = n ?? 1;
  const promptTokens = countTokens(prompt);
  return doWork(state, exchange, {
    modelId,
    output: 'image',
    apiType: 'image',
    request: { ...parsed.data, model: undefined, user: undefined, stream: undefined },
    price: (model: CatalogueModel) => picturePrice(model).times(count),
    make: (work, cost) => {
      const data = Array.from({ length: count }, (_, at) => {
        const asked = {
          seed: `${work.seed}${at}`,
          aspectRatio: ratio ?? undefined,
          imageSize: resolution ?? undefined,
        };
        const { dataUrl } = drawPicture(asked);
        return { b64_json: dataUrl.slice(dataUrl.indexOf(',') + 1), media_type: 'image/png' };
      });
      const completionTokens = TOKENS_PER_PICTURE * count;
      const usage = {
        prompt_tokens: promptTokens,
        completion_tokens: completionTokens,
        total_tokens: promptTokens + completionTokens,
        cost: toUsd(cost),
        is_byok: false,
        completion_tokens_details: { image_tokens: completionTokens, reasoning_tokens: 0, audio_tokens: 0 },
      };
      const headers = settleWork(state, work, { headers: exchange.headers, cost, apiType: 'image', promptTokens });
      const created = Math.floor(work.now / 1_000);
      return parsed.data.stream
        ? replyEvents({ created, data, usage }, headers)
        : replyJson({ created, data, usage }, headers);
    },
  });
}

interface Pictures {
  created: number;
  data: { b64_json: string; media_type: string }[];
  usage: object;
}

/** One event a picture, the last with the usage. */
function replyEvents({ created, data, usage }: Pictures, headers: Record<string, string>): Reply {
  const events = data.map((picture, at) => ({
    type: 'image_generation.completed',
    created,
    ...picture,
    ...(at === data.length - 1 ? { usage } : {}),
  }));
  const text = [...events.map((event) => JSON.stringify(event)), '[DONE]'].map((line) => `data: ${line}\n\n`).join('');
  return replyText(text, { contentType: 'text/event-stream', headers });
}

/** Of one picture, by the catalogue's price of a token of it. */
export function picturePrice(model: CatalogueModel): Big {
  const price = priceOf(model, 'image_output');
  return price.eq(0) ? priceOf(model, 'request') : price.times(TOKENS_PER_PICTURE);
}
