import type { Tx } from '#database/index.ts';
import type { ModelFilters } from './model-filters.ts';
import { modelColumns, type Model } from './model.ts';
import type { Order, Position, Sort, Sorting } from './model-cursor.ts';

interface Search extends Sorting {
  filters: ModelFilters;
  after: Position | null;
  limit: number;
}

export type FoundModel = Model & { sortKey: string };

/** Unknown values come last in either direction. Names are compared by code point, so that pages do not depend on a locale. */
const sortKeys: Record<Sort, { type: string; expression: (order: Order) => string }> = {
  name: { type: 'text', expression: () => 'lower(display_name) COLLATE "C"' },
  newest: {
    type: 'numeric',
    expression: (order) =>
      `coalesce(trunc(extract(epoch FROM published_at)), ${order === 'asc' ? '999999999999' : '-1'})`,
  },
  price: {
    type: 'numeric',
    expression: (order) => `coalesce(prompt_price + completion_price, ${order === 'asc' ? `'Infinity'` : '-1'})`,
  },
  context: {
    type: 'numeric',
    expression: (order) => `coalesce(context_length, ${order === 'asc' ? '999999999999' : '-1'})::numeric`,
  },
};

/** Every value is bound and `q` is compared with strpos, so no character in it means anything. */
export async function searchModels(tx: Tx, search: Search): Promise<FoundModel[]> {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const { type, expression } = sortKeys[search.sort];
  const key = expression(search.order);
  const conditions = toConditions(search.filters, bind);
  if (search.after) {
    const sign = search.order === 'asc' ? '>' : '<';
    conditions.push(`(${key}, id) ${sign} (${bind(search.after.key)}::${type}, ${bind(search.after.id)}::uuid)`);
  }
  const { rows } = await tx.query<FoundModel>(
    `SELECT ${modelColumns}, (${key})::text AS "sortKey" FROM ai_models
     WHERE ${conditions.join(' AND ')}
     ORDER BY ${key} ${search.order}, id ${search.order} LIMIT ${bind(search.limit)}`,
    values,
  );
  return rows;
}

function toConditions(filters: ModelFilters, bind: (value: unknown) => string): string[] {
  const conditions = [`is_active = ${bind(filters.active)}`];
  const words = filters.q?.split(/\s+/).filter((word) => word !== '');
  if (words?.length) {
    const haystack = `lower(concat_ws(' ', openrouter_id, display_name, description))`;
    conditions.push(
      `NOT EXISTS (SELECT FROM unnest(${bind(words)}::text[]) AS word WHERE strpos(${haystack}, lower(word)) = 0)`,
    );
  }
  const given: [unknown, (bound: string) => string][] = [
    [filters.provider, (bound) => `provider = ANY (${bound}::text[])`],
    [filters.input, (bound) => `input_modalities @> ${bound}::text[]`],
    [filters.output, (bound) => `output_modalities @> ${bound}::text[]`],
    [filters.parameters, (bound) => `supported_parameters @> ${bound}::text[]`],
    [filters.minContext, (bound) => `context_length >= ${bound}::integer`],
    [filters.maxPromptPrice, (bound) => `prompt_price * 1000000 <= ${bound}::numeric`],
    [filters.maxCompletionPrice, (bound) => `completion_price * 1000000 <= ${bound}::numeric`],
    [filters.tools, (bound) => `('tools' = ANY (supported_parameters)) = ${bound}`],
    [filters.vision, (bound) => `('image' = ANY (input_modalities)) = ${bound}`],
    [filters.webSearch, (bound) => `('web_search_options' = ANY (supported_parameters)) = ${bound}`],
    [filters.free, (bound) => `is_free = ${bound}`],
  ];
  for (const [value, toCondition] of given) {
    if (value !== undefined && !(Array.isArray(value) && value.length === 0)) {
      conditions.push(toCondition(bind(value)));
    }
  }
  return conditions;
}
