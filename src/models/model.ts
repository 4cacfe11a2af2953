import type { Pricing } from './pricing.ts';

/** A field of the newest list that could not be read: the model keeps what the last good list said. */
export interface OddField {
  /** Path in the entry, such as `pricing.prompt`. */
  field: string;
  /** What stood there, in a few words. */
  found: string;
}

/** What the catalogue says about a model. */
export interface CatalogueModel {
  openrouterId: string;
  canonicalSlug: string;
  displayName: string;
  description: string;
  /** Who made it: the part of the id before the slash. */
  provider: string;
  inputModalities: string[];
  outputModalities: string[];
  contextLength: number | null;
  maxCompletionTokens: number | null;
  supportedParameters: string[];
  pricing: Pricing;
  isFree: boolean;
  /** Chooses another model by itself; its price is not known before the call. */
  isRouter: boolean;
  /** `YYYY-MM-DD`: announced end. */
  expirationDate: string | null;
  publishedAt: string | null;
  oddFields: OddField[];
}

export interface Model extends CatalogueModel {
  id: string;
  /** False once the catalogue no longer lists it: a single list without it does not count yet. */
  isActive: boolean;
  /** Since when the lists lack it; null while they have it. */
  missingSince: string | null;
  /** Since when `oddFields` cannot be read. */
  oddSince: string | null;
  /** Names of voices that it speaks with; null where the catalogue tells none. */
  voices: string[] | null;
  firstSeenAt: string;
  lastSyncedAt: string;
}

/** The columns of a Model under its own names: a row is a Model. */
export const modelColumns = `
  id, openrouter_id AS "openrouterId", canonical_slug AS "canonicalSlug", display_name AS "displayName", description, provider,
  input_modalities AS "inputModalities", output_modalities AS "outputModalities", context_length AS "contextLength",
  max_completion_tokens AS "maxCompletionTokens", supported_parameters AS "supportedParameters", pricing,
  is_free AS "isFree", is_router AS "isRouter", expiration_date::text AS "expirationDate", is_active AS "isActive",
  odd_fields AS "oddFields",
  (SELECT jsonb_agg(voice) FROM jsonb_array_elements(
     CASE WHEN jsonb_typeof(extra->'supported_voices') = 'array' THEN extra->'supported_voices' ELSE '[]' END) voice
    WHERE jsonb_typeof(voice) = 'string') AS voices,
  to_char(odd_since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "oddSince",
  to_char(first_missed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "missingSince",
  to_char(published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "publishedAt",
  to_char(first_seen_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "firstSeenAt",
  to_char(last_synced_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "lastSyncedAt"`;
