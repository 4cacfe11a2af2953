import { Big } from 'big.js';
import { z } from 'zod';
import { decimalText } from '#kit/index.ts';
import { toPerMillion, type ModelEndpoint } from '#models/index.ts';

/** As OpenRouter names them: https://openrouter.ai/docs/guides/routing/provider-selection */
const quantizations = [
  'int4',
  'int8',
  'fp4',
  'mxfp4',
  'nvfp4',
  'fp6',
  'fp8',
  'mxfp8',
  'fp16',
  'bf16',
  'fp32',
  'unknown',
] as const;

const tag = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$/, 'must be a provider such as "openai" or "azure/eu"');
const tags = z.array(tag).min(1).max(50).optional();
const usd = decimalText('a plain decimal of USD, such as "0.5"', /^(0|[1-9]\d{0,5})(\.\d{1,12})?$/).optional();

export const providerSettings = z
  .strictObject({
    order: tags.describe('Asked in this order before all others.'),
    only: tags.describe('No others answer.'),
    ignore: tags.describe('These do not answer.'),
    allowFallbacks: z.boolean().optional().describe('false: only those that "order" names may answer.'),
    zdr: z.boolean().optional().describe('true: only providers that keep no prompts.'),
    dataCollection: z.enum(['allow', 'deny']).optional().describe('"deny": none that may learn from prompts.'),
    quantizations: z.array(z.enum(quantizations)).min(1).max(quantizations.length).optional(),
    sort: z.enum(['price', 'throughput', 'latency']).optional(),
    requireParameters: z.boolean().optional().describe('true: only providers that take every setting of this config.'),
    maxPrice: z
      .strictObject({ prompt: usd, completion: usd, request: usd })
      .optional()
      .describe('None dearer: USD per million tokens, and per request.'),
  })
  .optional()
  .describe(
    'Which providers of the model may answer, as `GET /api/models/{author}/{slug}/endpoints` names them: {"only": ["openai"], "zdr": true, "maxPrice": {"prompt": "0.5", "completion": "2"}}.',
  );

export type ProviderSettings = NonNullable<z.output<typeof providerSettings>>;

/**
 * May this provider answer, as far as the list of providers tells? It does not tell who keeps prompts or learns from them,
 * so these narrow nothing here. `needed`: names of the parameters that the request has.
 */
export function mayAnswer(
  { tag: name, quantization, supportedParameters, pricing }: ModelEndpoint,
  settings: ProviderSettings,
  needed: readonly string[],
): boolean {
  const { order, only, ignore = [], allowFallbacks, quantizations: wanted } = settings;
  const isNamed = (list: readonly string[]): boolean => list.some((one) => isTag(name, one));
  return (
    (only === undefined || isNamed(only)) &&
    (order === undefined || allowFallbacks !== false || isNamed(order)) &&
    !isNamed(ignore) &&
    (wanted?.some((one) => one === quantization) ?? true) &&
    (settings.requireParameters !== true || needed.every((one) => supportedParameters.includes(one))) &&
    isWithin(pricing, settings)
  );
}

/** Is a price, in USD per token and request, within what the creator allows? */
export function isWithin(
  pricing: { prompt: string; completion: string; request?: string },
  { maxPrice = {} }: Pick<ProviderSettings, 'maxPrice'>,
): boolean {
  const { prompt, completion, request } = maxPrice;
  return (
    (prompt === undefined || new Big(toPerMillion(pricing.prompt)).lte(prompt)) &&
    (completion === undefined || new Big(toPerMillion(pricing.completion)).lte(completion)) &&
    (request === undefined || new Big(pricing.request ?? 0).lte(request))
  );
}

/** `openai` also names its variants, such as `openai/priority`. */
export function isTag(endpoint: string, written: string): boolean {
  const [one, other] = [endpoint.toLowerCase(), written.toLowerCase()];
  return one === other || one.startsWith(`${other}/`);
}

/** Do these settings keep providers out that would answer otherwise? */
export function narrows(settings: ProviderSettings | undefined): boolean {
  return (
    settings !== undefined &&
    (settings.only !== undefined ||
      settings.ignore !== undefined ||
      settings.quantizations !== undefined ||
      settings.maxPrice !== undefined ||
      settings.requireParameters === true ||
      (settings.order !== undefined && settings.allowFallbacks === false))
  );
}

/** What buyers may rely on: who reads their texts. */
export function toPromises(settings: ProviderSettings | undefined): { zdr?: true; dataCollection?: 'deny' } {
  return {
    ...(settings?.zdr === true ? { zdr: true } : {}),
    ...(settings?.dataCollection === 'deny' ? { dataCollection: 'deny' } : {}),
  };
}
