import type { Tx } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import { isUnknownPrice } from './pricing.ts';
import type { ListedModel } from './parse-catalogue.ts';

export type ChangeKind = (typeof changeKinds)[number];
export const changeKinds = ['added', 'removed', 'returned', 'price', 'capability', 'expiry'] as const;

interface Applied {
  syncId: string;
  at: Date;
}

export interface CatalogueChanges {
  listed: readonly ListedModel[];
  /** Active models that the list lacks: counted, and so far kept. */
  missing: readonly string[];
  /** Active models that count as gone from now on. */
  gone: readonly string[];
}

/** The list as rows with the columns of ai_models; `$1` is its JSON. */
const LISTED = `
  listed AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS x(
    id uuid, openrouter_id text, canonical_slug text, display_name text, description text, provider text,
    input_modalities text[], output_modalities text[], context_length integer, max_completion_tokens integer,
    supported_parameters text[], pricing jsonb, prompt_price numeric, completion_price numeric,
    is_free boolean, is_router boolean, expiration_date date, published_at timestamptz, odd_fields jsonb, extra jsonb))`;

const capabilities = (row: string): string => `jsonb_build_object(
    'inputModalities', ${row}.input_modalities, 'outputModalities', ${row}.output_modalities,
    'contextLength', ${row}.context_length, 'maxCompletionTokens', ${row}.max_completion_tokens,
    'supportedParameters', ${row}.supported_parameters)`;
const summary = (row: string): string =>
  `jsonb_build_object('displayName', ${row}.display_name, 'pricing', ${row}.pricing)`;
const expiry = (row: string): string => `jsonb_build_object('expirationDate', ${row}.expiration_date)`;

const NOTE_CHANGES = `
  WITH ${LISTED},
  both_sides AS (SELECT l AS l, m AS m FROM listed l JOIN ai_models m USING (openrouter_id)),
  changes (openrouter_id, kind, before, after) AS (
    SELECT l.openrouter_id, 'added', NULL::jsonb, ${summary('l')}
      FROM listed l WHERE NOT EXISTS (SELECT FROM ai_models m WHERE m.openrouter_id = l.openrouter_id)
    UNION ALL SELECT m.openrouter_id, 'removed', ${summary('m')}, NULL
      FROM ai_models m WHERE m.is_active AND m.openrouter_id = ANY ($4)
    UNION ALL SELECT (l).openrouter_id, 'returned', NULL, ${summary('(l)')} FROM both_sides WHERE NOT (m).is_active
    UNION ALL SELECT (l).openrouter_id, 'price', (m).pricing, (l).pricing
      FROM both_sides WHERE (l).pricing <> (m).pricing
    UNION ALL SELECT (l).openrouter_id, 'capability', ${capabilities('(m)')}, ${capabilities('(l)')}
      FROM both_sides WHERE ${capabilities('(m)')} <> ${capabilities('(l)')}
    UNION ALL SELECT (l).openrouter_id, 'expiry', ${expiry('(m)')}, ${expiry('(l)')}
      FROM both_sides WHERE (l).expiration_date IS DISTINCT FROM (m).expiration_date),
  noted AS (
    INSERT INTO ai_model_changes (openrouter_id, kind, before, after, sync_id, at)
    SELECT openrouter_id, kind, before, after, $2, $3 FROM changes ORDER BY openrouter_id, kind
    RETURNING kind)
  SELECT kind, count(*)::int AS count FROM noted GROUP BY kind`;

const WRITE_LISTED = `
  WITH ${LISTED}
  INSERT INTO ai_models AS m (
    id, openrouter_id, canonical_slug, display_name, description, provider, input_modalities, output_modalities,
    context_length, max_completion_tokens, supported_parameters, pricing, prompt_price, completion_price,
    is_free, is_router, expiration_date, published_at, odd_fields, extra, first_seen_at, last_synced_at, odd_since)
  SELECT listed.*, $2::timestamptz, $2::timestamptz, CASE WHEN odd_fields <> '[]' THEN $2::timestamptz END FROM listed
  ON CONFLICT (openrouter_id) DO UPDATE SET
    canonical_slug = excluded.canonical_slug, display_name = excluded.display_name,
    description = excluded.description, provider = excluded.provider,
    input_modalities = excluded.input_modalities, output_modalities = excluded.output_modalities,
    context_length = excluded.context_length, max_completion_tokens = excluded.max_completion_tokens,
    supported_parameters = excluded.supported_parameters, pricing = excluded.pricing,
    prompt_price = excluded.prompt_price, completion_price = excluded.completion_price,
    is_free = excluded.is_free, is_router = excluded.is_router, expiration_date = excluded.expiration_date,
    published_at = excluded.published_at, extra = excluded.extra, last_synced_at = excluded.last_synced_at,
    odd_fields = excluded.odd_fields,
    odd_since = CASE WHEN excluded.odd_fields <> '[]' THEN coalesce(m.odd_since, excluded.odd_since) END,
    missed_syncs = 0, first_missed_at = NULL, is_active = true`;

const COUNT_MISSES = `
  UPDATE ai_models SET missed_syncs = missed_syncs + 1, first_missed_at = coalesce(first_missed_at, $2)
  WHERE openrouter_id = ANY ($1)`;

/** Brings ai_models to the list and notes what changed; returns how many changes of each kind. */
export async function applyCatalogue(
  tx: Tx,
  { listed, missing, gone }: CatalogueChanges,
  { syncId, at }: Applied,
): Promise<Record<ChangeKind, number>> {
  const json = JSON.stringify(listed.map(toRow));
  const changes = await tx.query<{ kind: ChangeKind; count: number }>(NOTE_CHANGES, [json, syncId, at, gone]);
  await tx.query(WRITE_LISTED, [json, at]);
  await tx.query(COUNT_MISSES, [[...missing, ...gone], at]);
  await tx.query('UPDATE ai_models SET is_active = false WHERE openrouter_id = ANY ($1)', [gone]);
  const none = { added: 0, removed: 0, returned: 0, price: 0, capability: 0, expiry: 0 };
  return { ...none, ...Object.fromEntries(changes.rows.map((row) => [row.kind, row.count])) };
}

function toRow(model: ListedModel): Record<string, unknown> {
  const { prompt, completion } = model.pricing;
  return {
    id: newId(),
    openrouter_id: model.openrouterId,
    canonical_slug: model.canonicalSlug,
    display_name: model.displayName,
    description: model.description,
    provider: model.provider,
    input_modalities: model.inputModalities,
    output_modalities: model.outputModalities,
    context_length: model.contextLength,
    max_completion_tokens: model.maxCompletionTokens,
    supported_parameters: model.supportedParameters,
    pricing: model.pricing,
    prompt_price: isUnknownPrice(prompt) ? null : prompt,
    completion_price: isUnknownPrice(completion) ? null : completion,
    is_free: model.isFree,
    is_router: model.isRouter,
    expiration_date: model.expirationDate,
    published_at: model.publishedAt,
    odd_fields: model.oddFields,
    extra: model.extra,
  };
}
