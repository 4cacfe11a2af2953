import { numberOf } from '#kit/index.ts';
import { z } from 'zod';
import type { ChatFailure, FailureKind } from './chat.ts';
import { aliases, knownErrors, namesOfAccount, says, tellingNames } from './known-errors.ts';
import { quoteUpstream } from './quote-upstream.ts';

const loose = z.record(z.string(), z.unknown());

/** The status that a typed error stands for when it came without one (inside a stream, or a bare availability error). */
const statusOfType: Record<string, number> = {
  authentication: 401,
  payment_required: 402,
  permission_denied: 403,
  not_found: 404,
  precondition_failed: 412,
  payload_too_large: 413,
  unprocessable: 422,
  rate_limit_exceeded: 429,
  server: 500,
  server_error: 500,
  unmapped: 500,
  provider_unavailable: 502,
  provider_overloaded: 503,
  timeout: 504,
};

/** What only the message tells on older answers, in the words that newer ones use. First match wins. */
const limitOfMessage: readonly (readonly [RegExp, string])[] = [
  [/free-models-per-day/i, 'openrouter_free_tier_daily'],
  [/free-models-per-min/i, 'openrouter_free_tier_minute'],
  [/key limit exceeded/i, 'openrouter_key_limit'],
  [/can only afford|fewer max_tokens|prompt tokens limit exceeded/i, 'openrouter_affordability'],
  [/insufficient credits|never purchased credits/i, 'openrouter_credits'],
];
interface FailureSource {
  kind: FailureKind;
  /** HTTP status; null inside a 200. */
  status: number | null;
  /** The `error` value, whatever it is. */
  error: unknown;
  retryAfterHeader: string | null;
  /** The API key first, then everything else that must not be quoted. */
  secrets: readonly string[];
  nowMs: number;
}

/** Reads an error in any form that OpenRouter and its providers send; nothing in it is trusted to be there. */
export function parseFailure(source: FailureSource): ChatFailure {
  const error = loose.safeParse(source.error).data ?? { message: source.error };
  const metadata = loose.safeParse(error['metadata']).data ?? {};
  const availability = loose.safeParse(error['availability']).data ?? {};
  const message = typeof error['message'] === 'string' ? error['message'] : '';
  const toSafeName = (value: unknown): string | null => toName(value, source.secrets[0] ?? '');
  const named = [
    metadata['reasons'] === undefined ? null : 'moderation',
    metadata['reason'],
    availability['code'],
    metadata['error_type'],
    error['error_type'],
    error['code'],
    error['type'],
  ].flatMap((value) => {
    const name = toSafeName(value);
    return name === null ? [] : (aliases.get(name)?.name ?? name);
  });
  const errorType =
    named.find((name) => tellingNames.has(name)) ??
    nameByWords({ message, raw: metadata['raw'] }, source.secrets.slice(1)) ??
    named[0] ??
    null;
  return {
    kind: source.kind,
    status: source.status ?? toStatus(error['code']) ?? toStatus(error['http_status']) ?? statusFromType(errorType),
    message: quoteUpstream(message, source.secrets),
    errorType,
    limitSource: toSafeName(metadata['limit_source']) ?? findLimit(message),
    retryAfterSeconds: findRetryAfter(source, { metadata, availability, details: error['details'] }),
  };
}

/** A failure that the upstream did not put in words. */
export function plainFailure(kind: FailureKind, status: number | null = null): ChatFailure {
  return { kind, status, message: '', errorType: null, limitSource: null, retryAfterSeconds: null };
}

interface Hints {
  metadata: Record<string, unknown>;
  availability: Record<string, unknown>;
  details: unknown;
}

function findRetryAfter(source: FailureSource, { metadata, availability, details }: Hints): number | null {
  const headers = loose.safeParse(metadata['headers']).data ?? {};
  const resetMs = numberOf(headers['X-RateLimit-Reset'] ?? headers['x-ratelimit-reset']);
  const candidates = [
    toSeconds(source.retryAfterHeader, source.nowMs),
    toSeconds(availability['retry_after'], source.nowMs),
    toSeconds(headers['Retry-After'] ?? headers['retry-after'], source.nowMs),
    Number.isFinite(resetMs) && resetMs > 0 ? clampSeconds((resetMs - source.nowMs) / 1000) : null,
    toSeconds(metadata['resets_at'], source.nowMs),
    findRetryDelay(details),
  ];
  return candidates.find((seconds) => seconds !== null) ?? null;
}

/** Seconds, or a date in either HTTP or ISO form. */
function toSeconds(value: unknown, nowMs: number): number | null {
  if (value === null || value === undefined || value === '') {
    return null;
  }
  const seconds = numberOf(value);
  if (Number.isFinite(seconds)) {
    return clampSeconds(seconds);
  }
  const date = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(date) ? clampSeconds((date - nowMs) / 1000) : null;
}

const MAX_RETRY_AFTER_SECONDS = 86_400;

function clampSeconds(seconds: number): number {
  return Math.min(MAX_RETRY_AFTER_SECONDS, Math.max(0, Math.ceil(seconds)));
}

function toStatus(value: unknown): number | null {
  const status = typeof value === 'string' && /^\d{3}$/.test(value) ? Number(value) : value;
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599 ? status : null;
}

/** Machine-readable names only: an upstream's sentence must not pass as one. */
function toName(value: unknown, apiKey: string): string | null {
  const isName = typeof value === 'string' && /^[a-z][a-z0-9_:-]{1,63}$/.test(value);
  return isName && quoteUpstream(value, [apiKey]) !== '' ? value : null;
}

function statusFromType(errorType: string | null): number | null {
  return errorType === null ? null : (statusOfType[errorType] ?? null);
}

function findLimit(message: string): string | null {
  return limitOfMessage.find(([pattern]) => pattern.test(message))?.[1] ?? null;
}

/** By the words of the error, and of the provider's own error that OpenRouter passes on (`metadata.raw`). */
function nameByWords(said: { message: string; raw: unknown }, request: readonly string[]): string | null {
  const behind = typeof said.raw === 'string' ? said.raw.replaceAll('\\"', '"') : (JSON.stringify(said.raw) ?? '');
  const found = knownErrors.find(
    ({ name, says: pieces }) =>
      says(said.message, pieces, request) || (!namesOfAccount.has(name) && says(behind, pieces, request)),
  );
  return found?.name ?? null;
}

/** `"7s"` or `"7.66s"`, among the details of an error. @source google.rpc.RetryInfo */
function findRetryDelay(details: unknown): number | null {
  const [delay] = (Array.isArray(details) ? (details as unknown[]) : []).flatMap((detail) => {
    const found = loose.safeParse(detail).data?.['retryDelay'];
    return typeof found === 'string' && /^\d{1,6}(\.\d{1,9})?s$/.test(found) ? [Number.parseFloat(found)] : [];
  });
  return delay === undefined ? null : clampSeconds(delay);
}
