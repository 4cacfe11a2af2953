import { safeParse } from '#kit/index.ts';
import { z } from 'zod';
import { toDecimalText } from '../chat-completions/parse-json.ts';
import { parseFailure } from '../chat-completions/parse-failure.ts';
import { getJson, type JsonGet } from './get-json.ts';

/** What OpenRouter says about a key. Amounts are USD as decimal text; `limit` null means none. */
export interface KeySnapshot {
  label: string | null;
  limit: string | null;
  limitRemaining: string | null;
  limitReset: string | null;
  usage: string | null;
  usageMonthly: string | null;
  isFreeTier: boolean;
  expiresAt: string | null;
}

export type KeyCheck =
  | { ok: true; snapshot: KeySnapshot }
  /** OpenRouter knows the key, whose own limit alone is in the way. */
  | { ok: false; reason: 'limit_reached'; detail: string; snapshot: KeySnapshot }
  | {
      ok: false;
      reason: 'invalid_key' | 'management_key' | 'expired_key' | 'limit_reached' | 'rate_limited' | 'unreachable';
      /** For the owner of the key. */
      detail: string;
      snapshot?: undefined;
    };

const text = z.string().max(200).nullish().catch(null);
// 1.5e-7, or -0.3 remaining after an overdraft, are amounts too.
const amount = z.string().nullish().catch(null);
const flag = z.boolean().nullish().catch(null);
const answer = z.object({
  data: z.object({
    label: text,
    limit: amount,
    limit_remaining: amount,
    limit_reset: text,
    usage: amount,
    usage_monthly: amount,
    is_free_tier: flag,
    is_management_key: flag,
    is_provisioning_key: flag,
    expires_at: text,
  }),
});
const AMOUNTS = ['limit', 'limit_remaining', 'usage', 'usage_monthly'];

/** Checks a key with `GET /key`: free of charge, and any key may ask about itself. Never throws. */
export async function getKey(source: JsonGet, apiKey: string): Promise<KeyCheck> {
  if (!/^[\x21-\x7e]{8,512}$/.test(apiKey)) {
    return refuse('invalid_key', 'This is not the form of an OpenRouter key (sk-or-v1-…).');
  }
  try {
    const path = `${source.basePath}/key`;
    const got = await getJson(source, { path, apiKey, timeoutMs: 10_000, maxBytes: 64_000, exactKeys: AMOUNTS });
    const parsed = safeParse(answer, got.body);
    if (got.status === 200 && parsed.success) {
      return judgeKey(parsed.data.data);
    }
    return judgeRefusal(got, apiKey);
  } catch {
    return refuse('unreachable', 'OpenRouter could not be reached. Try again in a minute.');
  }
}

function judgeKey(key: z.output<typeof answer>['data']): KeyCheck {
  if (key.is_management_key || key.is_provisioning_key) {
    return refuse('management_key', 'This is a management key, which cannot run models. Create an ordinary API key.');
  }
  if (key.expires_at && Date.parse(key.expires_at) <= Date.now()) {
    return refuse(
      'expired_key',
      'This key has expired. Create a new one at https://openrouter.ai/settings/keys and store it here.',
    );
  }
  const limitRemaining = signedDecimal(key.limit_remaining);
  const snapshot: KeySnapshot = {
    label: key.label ?? null,
    limit: toDecimalText(key.limit),
    limitRemaining,
    limitReset: key.limit_reset ?? null,
    usage: toDecimalText(key.usage),
    usageMonthly: toDecimalText(key.usage_monthly),
    isFreeTier: key.is_free_tier ?? false,
    expiresAt: key.expires_at ?? null,
  };
  if (limitRemaining !== null && Number(limitRemaining) <= 0) {
    const detail =
      'The spending limit of this key is used up. Raise it at https://openrouter.ai/settings/keys, wait for its reset, or store another key.';
    return { ok: false, reason: 'limit_reached', detail, snapshot };
  }
  return { ok: true, snapshot };
}

function judgeRefusal(got: { status: number; body: unknown }, apiKey: string): KeyCheck {
  const error = safeParse(z.object({ error: z.unknown().optional() }), got.body).data?.error;
  const { message } = parseFailure({
    kind: 'http_error',
    status: got.status,
    error,
    retryAfterHeader: null,
    secrets: [apiKey],
    nowMs: Date.now(),
  });
  const said = message === '' ? '' : ` OpenRouter says: "${message}"`;
  if (got.status === 401 || got.status === 403) {
    return refuse(
      'invalid_key',
      `OpenRouter does not accept this key: it is wrong, disabled or revoked. Create a new one at https://openrouter.ai/settings/keys and store it here.${said}`,
    );
  }
  if (got.status === 402) {
    return refuse(
      'limit_reached',
      `OpenRouter wants a payment first. Add credits at https://openrouter.ai/settings/credits.${said}`,
    );
  }
  if (got.status === 429) {
    return refuse('rate_limited', 'OpenRouter asks to slow down. Try again in a minute.');
  }
  return refuse('unreachable', `OpenRouter answered with status ${got.status}. Try again in a minute.`);
}

function signedDecimal(value: string | null | undefined): string | null {
  return value?.startsWith('-') ? toDecimalText(value.slice(1)) && value : toDecimalText(value);
}

function refuse(reason: Extract<KeyCheck, { snapshot?: undefined }>['reason'], detail: string): KeyCheck {
  return { ok: false, reason, detail };
}
