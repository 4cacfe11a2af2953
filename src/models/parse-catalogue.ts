import { z } from 'zod';
import type { CatalogueModel } from './model.ts';
import { isUnknownPrice, listPrices, pricingSchema } from './pricing.ts';
import { toPlainJson, toPlainText } from './to-plain-text.ts';

export interface ListedModel extends CatalogueModel {
  /** What the entry holds that has no column, bounded. */
  extra: Record<string, unknown>;
}

export interface SkippedEntry {
  openrouterId: string | null;
  reason: string;
}

export interface ParsedCatalogue {
  models: ListedModel[];
  skipped: SkippedEntry[];
}

const MAX_ENTRIES = 20_000;
const MAX_EXTRA_LENGTH = 8_000;
const MAX_INTEGER = 2_147_483_647;
const ID = /^~?[A-Za-z0-9][A-Za-z0-9._-]*\/[A-Za-z0-9][A-Za-z0-9._:+-]*$/;
const WORD = /^[a-z][a-z0-9_-]{0,39}$/;

const words = z
  .array(z.unknown())
  .max(200)
  .transform((items) =>
    [...new Set(items.filter((item): item is string => typeof item === 'string' && WORD.test(item)))].sort(),
  );
const count = z.int().min(0).max(MAX_INTEGER).nullable().catch(null);
const id = z.string().max(200).regex(ID);

const entry = z.looseObject({
  id,
  canonical_slug: id.nullable().catch(null),
  name: z.string().catch(''),
  description: z.string().catch(''),
  created: z.number().min(0).max(MAX_INTEGER).nullable().catch(null),
  context_length: count,
  architecture: z.looseObject({
    input_modalities: words.refine((list) => list.length > 0),
    output_modalities: words.refine((list) => list.length > 0),
  }),
  pricing: pricingSchema,
  top_provider: z.looseObject({ max_completion_tokens: count }).catch({ max_completion_tokens: null }),
  supported_parameters: words.catch([]),
  expiration_date: z.iso.date().nullable().catch(null),
});

/** Reads raw `GET /models` objects. A bad entry is skipped with its reason and spoils nothing else. */
export function parseCatalogue(raw: readonly unknown[]): ParsedCatalogue {
  const models = new Map<string, ListedModel>();
  const skipped: SkippedEntry[] = [];
  for (const [index, item] of raw.entries()) {
    const parsed = index < MAX_ENTRIES ? entry.safeParse(item) : undefined;
    if (!parsed?.success) {
      skipped.push({ openrouterId: findId(item), reason: parsed ? toReason(parsed.error) : 'too many entries' });
    } else if (models.has(parsed.data.id)) {
      skipped.push({ openrouterId: parsed.data.id, reason: 'listed twice' });
    } else {
      models.set(parsed.data.id, toListedModel(parsed.data));
    }
  }
  return { models: [...models.values()], skipped };
}

function toListedModel(read: z.output<typeof entry>): ListedModel {
  const prices = listPrices(read.pricing);
  const created = read.created === null ? null : new Date(Math.trunc(read.created) * 1000);
  return {
    openrouterId: read.id,
    canonicalSlug: read.canonical_slug ?? read.id,
    displayName: toPlainText(read.name.replaceAll(/\s+/g, ' '), 200) || read.id,
    description: toPlainText(read.description, 4_000),
    provider: (read.id.split('/')[0] ?? '').replace('~', ''),
    inputModalities: read.architecture.input_modalities,
    outputModalities: read.architecture.output_modalities,
    contextLength: read.context_length,
    maxCompletionTokens: read.top_provider.max_completion_tokens,
    supportedParameters: read.supported_parameters,
    pricing: read.pricing,
    isFree: prices.every((price) => price === '0'),
    isRouter: prices.some(isUnknownPrice),
    expirationDate: read.expiration_date,
    publishedAt: created?.toISOString() ?? null,
    extra: pickExtra(read),
  };
}

function pickExtra(read: z.output<typeof entry>): Record<string, unknown> {
  const { id: _id, canonical_slug: _slug, name: _name, description: _text, created: _at, ...more } = read;
  const {
    context_length: _length,
    pricing: _prices,
    supported_parameters: _words,
    expiration_date: _end,
    ...left
  } = more;
  const { input_modalities: _in, output_modalities: _out, ...architecture } = read.architecture;
  const { max_completion_tokens: _max, ...topProvider } = read.top_provider;
  const kept: Record<string, unknown> = {};
  let length = 0;
  for (const [key, value] of Object.entries({ ...left, architecture, top_provider: topProvider })) {
    const plain = toPlainJson(value);
    const size = JSON.stringify(plain ?? null).length;
    if (WORD.test(key) && length + size <= MAX_EXTRA_LENGTH) {
      kept[key] = plain;
      length += size;
    }
  }
  return kept;
}

function findId(item: unknown): string | null {
  const found = z.object({ id: z.string() }).safeParse(item);
  return found.success ? toPlainText(found.data.id, 200) : null;
}

function toReason(error: z.ZodError): string {
  const path = error.issues[0]?.path.join('.') ?? '';
  return path ? `unreadable ${toPlainText(path, 80)}` : 'not an object';
}
