import { isObject, safeParse } from '#kit/index.ts';
import { z } from 'zod';
import { describeFound, readAt } from './describe-found.ts';
import type { CatalogueModel, OddField } from './model.ts';
import { isUnknownPrice, listPrices, readPricing, type Pricing } from './pricing.ts';
import { toPlainJson, toPlainText } from './to-plain-text.ts';

export interface ListedModel extends CatalogueModel {
  /** What the entry holds that has no column, bounded. */
  extra: Record<string, unknown>;
}

/** An entry of which no model can be made: one that nobody knows yet, or that has no name. */
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
const someWords = words.refine((list) => list.length > 0);
const integer = z
  .union([
    z.int(),
    z
      .string()
      .regex(/^\d{1,10}$/)
      .transform(Number),
  ])
  .pipe(z.int().min(0).max(MAX_INTEGER));
/** Nobody can use a model of no tokens: 0 says that the limit is not told. */
const limit = integer.transform((count) => (count === 0 ? null : count)).nullable();
const id = z.string().max(200).regex(ID);
const seconds = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,10}$/)
      .transform(Number),
  ])
  .pipe(z.number().min(0).max(MAX_INTEGER))
  .transform((at) => new Date(Math.trunc(at) * 1000).toISOString())
  .nullable();
const date = z.iso
  .date()
  .nullish()
  .transform((day) => day ?? null);

type Known = ReadonlyMap<string, CatalogueModel>;

/**
 * Reads raw `GET /models` objects. A field that cannot be read, or that is missing where the model had one, keeps the value
 * of `known`, the last good one, and is told in the model's `oddFields`; only a model that nobody knows yet, without prices
 * or modalities that can be read, is left out. One bad entry spoils nothing else.
 */
export function parseCatalogue(raw: readonly unknown[], known: Known = new Map()): ParsedCatalogue {
  const models = new Map<string, ListedModel>();
  const skipped: SkippedEntry[] = [];
  for (const [index, item] of raw.entries()) {
    const parsed = index < MAX_ENTRIES ? parseEntry(item, known) : 'too many entries';
    if (typeof parsed === 'string') {
      skipped.push({ openrouterId: findId(item), reason: parsed });
    } else if (models.has(parsed.openrouterId)) {
      skipped.push({ openrouterId: parsed.openrouterId, reason: 'listed twice' });
    } else {
      models.set(parsed.openrouterId, parsed);
    }
  }
  return { models: [...models.values()], skipped };
}

interface Entry {
  raw: Readonly<Record<string, unknown>>;
  last: CatalogueModel | undefined;
  odd: OddField[];
}

/** The model, or why there is none. */
function parseEntry(item: unknown, known: Known): ListedModel | string {
  if (!isObject(item)) {
    return 'not an object';
  }
  const raw = item as Entry['raw'];
  const openrouterId = safeParse(id, raw['id']).data;
  if (openrouterId === undefined) {
    return 'unreadable id';
  }
  const last = known.get(openrouterId);
  const entry: Entry = { raw, last, odd: [] };
  const inputModalities = take(entry, 'architecture.input_modalities', {
    schema: someWords,
    last: last?.inputModalities,
  });
  const outputModalities = take(entry, 'architecture.output_modalities', {
    schema: someWords,
    last: last?.outputModalities,
  });
  const pricing = takePricing(entry);
  if (!inputModalities || !outputModalities || !pricing) {
    return `unreadable ${entry.odd[0]?.field ?? ''}`;
  }
  const texts = { openrouterId, ...takeTexts(entry, openrouterId) };
  return {
    ...texts,
    ...takeLimits(entry),
    inputModalities,
    outputModalities,
    ...rate(pricing, { openrouterId, outputModalities }),
    oddFields: entry.odd,
    extra: pickExtra(raw),
  };
}

function takeTexts(entry: Entry, openrouterId: string) {
  const { last } = entry;
  const name = z.string().transform((text) => toPlainText(text.replaceAll(/\s+/g, ' '), 200) || openrouterId);
  const description = z.string().transform((text) => toPlainText(text, 4_000));
  return {
    canonicalSlug:
      take(entry, 'canonical_slug', { schema: id, last: last?.canonicalSlug, fallback: openrouterId }) ?? openrouterId,
    displayName: take(entry, 'name', { schema: name, last: last?.displayName, fallback: openrouterId }) ?? openrouterId,
    description: take(entry, 'description', { schema: description, last: last?.description, fallback: '' }) ?? '',
    provider: (openrouterId.split('/')[0] ?? '').replace('~', ''),
    publishedAt: take(entry, 'created', { schema: seconds, last: last?.publishedAt, fallback: null }) ?? null,
  };
}

function takeLimits(entry: Entry) {
  const { last } = entry;
  const parameters = last?.supportedParameters.length ? someWords : words;
  const most = { schema: limit, last: last?.maxCompletionTokens, fallback: null };
  return {
    contextLength: take(entry, 'context_length', { schema: limit, last: last?.contextLength, fallback: null }) ?? null,
    maxCompletionTokens: take(entry, 'top_provider.max_completion_tokens', most) ?? null,
    supportedParameters:
      take(entry, 'supported_parameters', { schema: parameters, last: last?.supportedParameters, fallback: [] }) ?? [],
    expirationDate:
      take(entry, 'expiration_date', { schema: date, last: last?.expirationDate, fallback: null }) ?? null,
  };
}

/** Zeros mean nothing of a model whose price stands in another list, such as that of films; what is free is called so. */
function rate(
  pricing: Pricing,
  { openrouterId, outputModalities }: Pick<ListedModel, 'openrouterId' | 'outputModalities'>,
) {
  const prices = listPrices(pricing);
  const isPricedHere = openrouterId.endsWith(':free') || outputModalities.some((output) => pricedHere.has(output));
  const isFree = isPricedHere && prices.every((price) => price === '0');
  return { pricing, isFree, isRouter: prices.some(isUnknownPrice) };
}

const pricedHere: ReadonlySet<string> = new Set(['text', 'embeddings']);

interface Expected<T> {
  schema: z.ZodType<T>;
  last: T | undefined;
  /** Of a model that nobody knows yet; without it there is no model. */
  fallback?: T;
}

/** The value at a path, or the last good one with a note. What was never there and is not there now is nothing to note. */
function take<T>(entry: Entry, path: string, { schema, last, fallback }: Expected<T>): T | undefined {
  const value = readAt(entry.raw, path.split('.'));
  const parsed = safeParse(schema, value);
  if (parsed.success) {
    return parsed.data;
  }
  const kept = last === undefined ? fallback : last;
  if ((value !== undefined && value !== null) || fallback === undefined || !isSame(kept, fallback)) {
    entry.odd.push({ field: path, found: describeFound(value) });
  }
  return kept;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Prices belong together: one of today beside one of last week would be a price that nobody asks. */
function takePricing(entry: Entry): Pricing | undefined {
  const { pricing } = entry.raw;
  const read = readPricing(pricing, entry.last?.pricing);
  if (read.ok) {
    return read.pricing;
  }
  const field = toPlainText(['pricing', ...read.path.map(String)].join('.'), 80);
  entry.odd.push({ field, found: describeFound(readAt(pricing, read.path)) });
  return entry.last?.pricing;
}

const topColumns = new Set([
  'id',
  'canonical_slug',
  'name',
  'description',
  'created',
  'context_length',
  'pricing',
  'supported_parameters',
  'expiration_date',
]);

/** What the entry holds beyond its columns. */
function pickExtra(raw: Entry['raw']): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  let length = 0;
  for (const [key, value] of Object.entries(raw).filter(([name]) => !topColumns.has(name) && WORD.test(name))) {
    const plain = toPlainJson(withoutColumns(key, value));
    const size = JSON.stringify(plain ?? null).length;
    if (length + size <= MAX_EXTRA_LENGTH) {
      kept[key] = plain;
      length += size;
    }
  }
  return kept;
}

const nestedColumns: Readonly<Record<string, readonly string[]>> = {
  architecture: ['input_modalities', 'output_modalities'],
  top_provider: ['max_completion_tokens'],
};

function withoutColumns(key: string, value: unknown): unknown {
  const columns = nestedColumns[key];
  return columns && isObject(value)
    ? Object.fromEntries(Object.entries(value).filter(([name]) => !columns.includes(name)))
    : value;
}

function findId(item: unknown): string | null {
  const found = safeParse(z.object({ id: z.string() }), item);
  return found.success ? toPlainText(found.data.id, 200) : null;
}
