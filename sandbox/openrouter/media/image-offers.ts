import { Big } from 'big.js';
import type { CatalogueModel } from '../catalogue.ts';
import { providers } from '../providers.ts';
import type { Provider } from '../providers.ts';
import { priceOf } from './do-work.ts';

/** What a setting may be, as `supported_parameters` tells it. */
export type Capability =
  | { type: 'enum'; values: string[] }
  | { type: 'range'; min: number; max: number }
  | { type: 'boolean' };

export interface ImageLine {
  billable: 'output_image' | 'input_image' | 'input_reference' | 'input_text';
  unit: 'image' | 'megapixel' | 'token';
  usd: Big;
}

/** One provider of a model that makes pictures. */
export interface ImageOffer {
  tag: string;
  providerName: string;
  parameters: Record<string, Capability>;
  streams: boolean;
  lines: ImageLine[];
}

/** Tokens of a picture, whatever its size: prices of pictures stand in the list of endpoints. */
export const TOKENS_PER_PICTURE = 1_290;

interface Traits {
  parameters: Record<string, Capability>;
  streams?: boolean;
  /** Beside the picture itself. */
  lines?(model: CatalogueModel): ImageLine[];
}

const oneOf = (...values: string[]): Capability => ({ type: 'enum', values });
const between = (min: number, max: number): Capability => ({ type: 'range', min, max });
const taken: Capability = { type: 'boolean' };

const usual: Record<string, Capability> = {
  n: between(1, 10),
  aspect_ratio: oneOf('1:1', '2:3', '3:2', '3:4', '4:3', '9:16', '16:9'),
  resolution: oneOf('512', '1K', '2K'),
};

/** By author, near to what such models take and cost; none of it decides over money outside of the simulator. */
const traitsOf: Readonly<Record<string, Traits>> = {
  openai: {
    parameters: {
      ...usual,
      quality: oneOf('auto', 'low', 'medium', 'high'),
      background: oneOf('auto', 'transparent', 'opaque'),
      output_format: oneOf('png', 'jpeg', 'webp'),
      output_compression: between(0, 100),
      input_references: between(0, 16),
    },
    streams: true,
    lines: (model) => [
      { billable: 'input_text', unit: 'token', usd: priceOf(model, 'prompt') },
      { billable: 'input_image', unit: 'token', usd: priceOf(model, 'prompt') },
    ],
  },
  'black-forest-labs': {
    parameters: {
      ...usual,
      output_format: oneOf('png', 'jpeg'),
      input_references: between(0, 8),
      seed: taken,
    },
    lines: () => [{ billable: 'input_image', unit: 'megapixel', usd: new Big('0.015') }],
  },
  sourceful: {
    parameters: { ...usual, input_references: between(0, 5) },
    lines: () => [{ billable: 'input_reference', unit: 'image', usd: new Big('0.02') }],
  },
  recraft: { parameters: { ...usual, output_format: oneOf('png', 'svg') }, streams: true },
};
const others: Traits = { parameters: { ...usual, input_references: between(0, 4), seed: taken } };

/** These are served by a second, dearer provider too; the first takes no pictures and no seed. */
const servedTwice: ReadonlySet<string> = new Set(['qwen/qwen-image-3']);
const notByFirst: readonly string[] = ['input_references', 'seed'];

/** Cheapest first: without a preference that is who answers. */
export function listImageOffers(model: CatalogueModel): ImageOffer[] {
  const isTwice = servedTwice.has(model.id);
  return providers
    .filter(({ isSecond, tag }) => !isSecond || (isTwice && tag === 'simulated-plus'))
    .map((provider) => toOffer(model, provider, isTwice && !provider.isSecond ? notByFirst : []));
}

function toOffer(model: CatalogueModel, { tag, name, factor }: Provider, lacks: readonly string[]): ImageOffer {
  const { parameters, streams = false, lines } = traitsOf[model.id.split('/')[0] ?? ''] ?? others;
  const output: ImageLine = { billable: 'output_image', unit: 'image', usd: picturePrice(model) };
  const reads = model.architecture.input_modalities.includes('image');
  const missing = reads ? lacks : [...lacks, 'input_references'];
  return {
    tag,
    providerName: name,
    parameters: Object.fromEntries(Object.entries(parameters).filter(([key]) => !missing.includes(key))),
    streams,
    lines: [output, ...(lines?.(model) ?? [])].map((line) => ({ ...line, usd: line.usd.times(factor) })),
  };
}

/** Of one picture, by the catalogue's price of a token of it. */
function picturePrice(model: CatalogueModel): Big {
  const price = priceOf(model, 'image_output');
  return price.eq(0) ? priceOf(model, 'request') : price.times(TOKENS_PER_PICTURE);
}

interface Preferences {
  only?: string[] | null | undefined;
  ignore?: string[] | null | undefined;
  order?: string[] | null | undefined;
}

/** Who answers; null where nobody is left. Settings that it does not take it leaves out. */
export function chooseImageOffer(model: CatalogueModel, { only, ignore, order }: Preferences): ImageOffer | null {
  const left = listImageOffers(model)
    .filter(({ tag }) => only?.includes(tag) ?? true)
    .filter(({ tag }) => !ignore?.includes(tag));
  return (
    left.find(({ tag }) => tag === order?.find((one) => left.some((offer) => offer.tag === one))) ?? left[0] ?? null
  );
}
