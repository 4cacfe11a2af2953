import type { CatalogueModel } from './catalogue.ts';
import { providers } from './providers.ts';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { openRandom } from './seeded-random.ts';

const DAY_MS = 86_400_000;

/** Orders that the catalogue can tell; it knows no popularity, speed or benchmarks, so those leave it as it is. */
const orders: Record<string, (a: CatalogueModel, b: CatalogueModel) => number> = {
  newest: (a, b) => b.created - a.created,
  'pricing-low-to-high': (a, b) => priceOf(a, 'prompt') - priceOf(b, 'prompt'),
  'pricing-high-to-low': (a, b) => priceOf(b, 'prompt') - priceOf(a, 'prompt'),
  'context-high-to-low': (a, b) => (b.context_length ?? 0) - (a.context_length ?? 0),
};

const untold = new Set([
  'most-popular',
  'top-weekly',
  'throughput-high-to-low',
  'latency-low-to-high',
  'intelligence-high-to-low',
  'coding-high-to-low',
  'agentic-high-to-low',
  'design-arena-elo-high-to-low',
]);

const categories: ReadonlySet<string> = new Set([
  'programming',
  'roleplay',
  'marketing',
  'marketing/seo',
  'technology',
  'science',
  'translation',
  'legal',
  'finance',
  'health',
  'trivia',
  'academia',
]);

/** What the query of `GET /models` leaves of a list, in its order; unknown orders, unknown categories and bounds that are no numbers are refused. */
export function filterModels(
  models: readonly CatalogueModel[],
  query: URLSearchParams,
  now: number,
): readonly CatalogueModel[] | Refusal {
  const sort = query.get('sort');
  if (sort !== null && !Object.hasOwn(orders, sort) && !untold.has(sort)) {
    return refuse(400, `Invalid sort: ${sort.slice(0, 50)}`, { error_type: 'invalid_request' });
  }
  const category = query.get('category');
  if (category !== null && !categories.has(category)) {
    return refuse(400, `Invalid category: ${category.slice(0, 50)}`, { error_type: 'invalid_request' });
  }
  const bounds = numberNames.filter((name) => query.has(name));
  const wrong = bounds.find((name) => !/^\d+(\.\d+)?$/.test(query.get(name) ?? ''));
  if (wrong !== undefined) {
    return refuse(400, `${wrong} must be a number`, { error_type: 'invalid_request' });
  }
  const kept = models.filter((model) => suitsWords(model, query) && suitsNumbers(model, query, now));
  const order = sort === null ? undefined : orders[sort];
  return order === undefined ? kept : kept.toSorted(order);
}

const numberNames = [
  'context',
  'min_price',
  'max_price',
  'min_output_price',
  'max_output_price',
  'min_age_days',
  'max_age_days',
] as const;

type BoundName = (typeof numberNames)[number];

function suitsWords(model: CatalogueModel, query: URLSearchParams): boolean {
  const { architecture } = model;
  const outputs = listOf(query.get('output_modalities') ?? 'text');
  const authors = listOf(query.get('model_authors') ?? '');
  const served = listOf(query.get('providers') ?? '');
  const words = query.get('q')?.toLowerCase() ?? '';
  return (
    (outputs.includes('all') || architecture.output_modalities.some((modality) => outputs.includes(modality))) &&
    listOf(query.get('input_modalities') ?? '').every((one) => architecture.input_modalities.includes(one)) &&
    listOf(query.get('supported_parameters') ?? '').every((one) => model.supported_parameters.includes(one)) &&
    (authors.length === 0 || authors.includes(model.id.split('/')[0]?.replace(/^~/, '') ?? '')) &&
    (served.length === 0 || providers.some(({ tag }) => served.includes(tag))) &&
    (query.get('zdr') !== 'true' || (architecture.output_modalities.includes('text') && !model.id.endsWith(':free'))) &&
    isFamily(architecture['tokenizer'], query.get('arch')) &&
    isUsedFor(model, query.get('category')) &&
    `${model.id} ${model.name}`.toLowerCase().includes(words)
  );
}

/** No model says what it is used for: half of them are of a category, always the same ones, and half of those of one within it. */
function isUsedFor({ id }: CatalogueModel, category: string | null): boolean {
  return category === null || category.split('/').every((part) => openRandom('category', part, id).integer(0, 1) === 0);
}

function isFamily(tokenizer: unknown, family: string | null): boolean {
  return family === null || (typeof tokenizer === 'string' && tokenizer.toLowerCase() === family.toLowerCase());
}

/** Prices of the query are per million tokens. What a model does not tell lies within no bound, and counts where none is asked. */
function suitsNumbers(model: CatalogueModel, query: URLSearchParams, now: number): boolean {
  const isAtLeast = (value: number, name: BoundName): boolean => !query.has(name) || value >= Number(query.get(name));
  const isAtMost = (value: number, name: BoundName): boolean => !query.has(name) || value <= Number(query.get(name));
  const input = priceOf(model, 'prompt');
  const output = priceOf(model, 'completion');
  const age = (now - model.created * 1_000) / DAY_MS;
  return (
    isAtLeast(model.context_length ?? 0, 'context') &&
    isAtLeast(input, 'min_price') &&
    isAtMost(input, 'max_price') &&
    isAtLeast(output, 'min_output_price') &&
    isAtMost(output, 'max_output_price') &&
    isAtLeast(age, 'min_age_days') &&
    isAtMost(age, 'max_age_days')
  );
}

function priceOf({ pricing }: CatalogueModel, key: string): number {
  return Number(pricing[key] ?? 0) * 1_000_000;
}

function listOf(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}
