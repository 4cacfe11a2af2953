import { z } from 'zod';
import { decimalText, type FieldProblem } from '#kit/index.ts';
import type { ExecutionDeps, KnownModel } from './execution-deps.ts';
import { inputModalities } from './inputs/input-modalities.ts';
import { findNamedModel } from './named-model.ts';

const usd = decimalText('a plain decimal of US dollars, such as "0.000002"', /^\d{1,6}(\.\d{1,18})?$/);

/** What the catalogue would say of a model that it does not list: a preset, a fine-tuned or a private one. */
export const declaredModel = z
  .strictObject({
    contextLength: z.int().min(1).max(100_000_000),
    maxCompletionTokens: z.int().min(1).max(100_000_000).optional(),
    inputModalities: z.array(z.enum(inputModalities)).max(4).default([]).describe('What it reads beside text.'),
    outputModalities: z
      .array(z.enum(['text', 'image']))
      .min(1)
      .max(2)
      .default(['text']),
    supportedParameters: z
      .array(z.string().regex(/^[a-z][a-z0-9_]{0,39}$/, 'must be a name such as temperature'))
      .max(40)
      .default([]),
    pricing: z.strictObject({
      prompt: usd,
      completion: usd,
      request: usd.optional(),
      imageOutput: usd.optional(),
      internalReasoning: usd.optional(),
    }),
  })
  .optional()
  .describe(
    'Of a preset, fine-tuned or private model that the catalogue does not know: its limits, what it takes and its prices in USD per token, as your OpenRouter account is billed. They bound and price calls; what a call did cost is always what OpenRouter says.',
  );

type DeclaredModel = NonNullable<z.output<typeof declaredModel>>;

/** As if the catalogue had it. The id is filled in by whoever reads the name. */
export function toKnownModel({
  pricing,
  maxCompletionTokens,
  inputModalities: reads,
  ...declared
}: DeclaredModel): KnownModel {
  const { imageOutput, internalReasoning, ...plain } = pricing;
  const prices = { ...plain, image_output: imageOutput, internal_reasoning: internalReasoning };
  const known = Object.entries(prices).filter(([, price]) => price !== undefined);
  return {
    ...declared,
    openrouterId: '',
    inputModalities: ['text', ...reads],
    maxCompletionTokens: maxCompletionTokens ?? null,
    isRouter: false,
    expirationDate: null,
    isActive: true,
    pricing: Object.fromEntries(known) as unknown as KnownModel['pricing'],
    missingSince: null,
    oddFields: [],
    oddSince: null,
    voices: null,
  };
}

/** A model that the catalogue lists has the catalogue's prices: what is declared of it is refused, unless a preset changes it. */
export async function checkDeclared(
  deps: Pick<ExecutionDeps, 'findModel'>,
  name: string,
  declared: DeclaredModel | undefined,
): Promise<FieldProblem[]> {
  const known = declared === undefined ? null : await findNamedModel(deps, name);
  if (declared === undefined || known === null || known.model === null || known.preset !== null) {
    return [];
  }
  const message = `The catalogue lists ${known.model.openrouterId} with its own prices: leave declaredModel out.`;
  return [{ path: '/config/declaredModel', message }];
}
