import { Big } from 'big.js';
import { z } from 'zod';
import type { CatalogueModel } from '../catalogue.ts';
import type { Exchange } from '../exchange.ts';
import { isRefusal, refuse } from '../refusal.ts';
import type { Refusal } from '../refusal.ts';
import { replyJson, replyRefusal } from '../reply.ts';
import type { Reply } from '../reply.ts';
import type { State } from '../state.ts';
import { toUsd } from '../cost.ts';
import { countTokens } from '../tokens.ts';
import { doWork, refuseInput, settleWork } from './do-work.ts';
import { drawPictures, type DrawnPicture } from './draw-pictures.ts';
import { chooseImageOffer, listImageOffers, TOKENS_PER_PICTURE, type ImageOffer } from './image-offers.ts';
import { imagePart, measurePictures } from './sent-pictures.ts';
import { breakOff, listEvents, replyPictureEvents } from './picture-events.ts';

const names = z.array(z.string()).nullish();
const requestSchema = z.looseObject({
  model: z.string().min(1),
  prompt: z.string().min(1),
  n: z.int().min(1).max(10).nullish(),
  aspect_ratio: z.string().nullish(),
  resolution: z.string().nullish(),
  size: z.string().nullish(),
  quality: z.enum(['auto', 'low', 'medium', 'high']).nullish(),
  background: z.enum(['auto', 'transparent', 'opaque']).nullish(),
  stream: z.boolean().nullish(),
  output_format: z.enum(['png', 'jpeg', 'webp', 'svg']).nullish(),
  output_compression: z.int().min(0).max(100).nullish(),
  seed: z.int().nullish(),
  input_references: z.array(imagePart).max(16).nullish(),
  provider: z.looseObject({ only: names, ignore: names, order: names }).nullish(),
});
type ImagesBody = z.output<typeof requestSchema>;

/** As in chats. */
const TOKENS_PER_REFERENCE = 258;

/** `POST /images`: PNG, whatever raster format is asked for, with the type that it has. */
export function answerImages(state: State, exchange: Exchange): Reply {
  const parsed = requestSchema.safeParse(exchange.body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return refuseInput(issue?.path.join('.') ?? 'body', issue?.message ?? 'not valid');
  }
  const body = parsed.data;
  const megapixels = measurePictures(body.input_references ?? []);
  if (isRefusal(megapixels)) {
    return replyRefusal(megapixels);
  }
  const need = { count: body.n ?? 1, promptTokens: countTokens(body.prompt), megapixels };
  const offerOf = (model: CatalogueModel) => chooseImageOffer(model, body.provider ?? {});
  return doWork(state, exchange, {
    modelId: body.model,
    output: 'image',
    apiType: 'image',
    request: { ...body, model: undefined, user: undefined, stream: undefined, provider: undefined },
    check: (model) => checkReferences(model, { offer: offerOf(model), count: megapixels.length }),
    providerOf: (model) => offerOf(model)?.providerName,
    price: (model) => priceRequest(offerOf(model), need),
    make: (work, cost) => {
      const offer = offerOf(work.model);
      const isStreamed = body.stream === true && offer?.streams === true;
      const pictures = drawPictures(toDrawing(body, offer, work.seed));
      if (work.chosen?.fault.breaksPictures) {
        return isStreamed
          ? replyPictureEvents(state, breakOff(pictures), {})
          : replyRefusal(refuse(502, 'Image generation failed', { error_type: 'provider_unavailable' }));
      }
      const promptTokens = need.promptTokens + TOKENS_PER_REFERENCE * need.megapixels.length;
      const headers = settleWork(state, work, { headers: exchange.headers, cost, apiType: 'image', promptTokens });
      const told = { created: Math.floor(work.now / 1_000), usage: toUsage(need.count, promptTokens, cost) };
      return isStreamed
        ? replyPictureEvents(state, listEvents(pictures, told), headers)
        : replyJson({ ...told, data: pictures.map(toJson) }, headers);
    },
  });
}

function toJson({ b64_json: data, media_type: type }: DrawnPicture) {
  return { b64_json: data, media_type: type };
}

function checkReferences(
  model: CatalogueModel,
  { offer, count }: { offer: ImageOffer | null; count: number },
): Refusal | null {
  const takers = listImageOffers(model).map(({ parameters }) => parameters['input_references']);
  if (offer === null) {
    return refuse(404, 'No allowed providers are available for the selected model.', {
      error_type: 'not_found',
      failed_routing_step: 'Filter by Allowed Providers',
    });
  }
  if (count > 0 && takers.every((one) => one === undefined)) {
    return refuse(404, 'No endpoints found that support image input', { error_type: 'not_found' });
  }
  const told = offer.parameters['input_references'];
  return told?.type === 'range' && count > told.max
    ? refuse(400, `Invalid input: input_references: at most ${told.max} are taken`, { error_type: 'invalid_request' })
    : null;
}

interface Need {
  count: number;
  promptTokens: number;
  /** Of each picture that is sent along. */
  megapixels: readonly number[];
}

function priceRequest(offer: ImageOffer | null, { count, promptTokens, megapixels }: Need): Big {
  const sent = offer?.parameters['input_references'] === undefined ? [] : megapixels;
  const units = {
    output_image: { image: count, megapixel: count, token: count * TOKENS_PER_PICTURE },
    input_text: { image: 0, megapixel: 0, token: promptTokens },
    input_image: {
      image: sent.length,
      megapixel: sent.reduce((sum, one) => sum + one, 0),
      token: sent.length * TOKENS_PER_REFERENCE,
    },
  };
  return (offer?.lines ?? []).reduce((sum, { billable, unit, usd }) => {
    const of = billable === 'input_reference' ? 'input_image' : billable;
    return sum.plus(usd.times(units[of][unit]));
  }, new Big(0));
}

/** What the provider does not take makes no difference. */
function toDrawing(body: ImagesBody, offer: ImageOffer | null, seed: string) {
  const ignores = offer?.parameters['input_references'] === undefined;
  return {
    seed: ignores ? `${body.model}\n${body.prompt}` : seed,
    count: body.n ?? 1,
    aspectRatio: body.aspect_ratio ?? undefined,
    imageSize: body.resolution ?? undefined,
    isVector: body.output_format === 'svg' && offer?.parameters['output_format'] !== undefined,
  };
}

function toUsage(count: number, promptTokens: number, cost: Big) {
  const completionTokens = TOKENS_PER_PICTURE * count;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    cost: toUsd(cost),
    is_byok: false,
    completion_tokens_details: { image_tokens: completionTokens, reasoning_tokens: 0, audio_tokens: 0 },
  };
}
