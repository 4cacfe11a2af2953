import { Big } from 'big.js';
import type { ApiKey, Spend } from './api-key.ts';
import { refuse, withHeaders } from './refusal.ts';
import type { Refusal } from './refusal.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const FREE_CALLS_PER_MINUTE = 20;
const FREE_CALLS_PER_DAY = 50;
const FREE_CALLS_PER_DAY_FUNDED = 1_000;
/** Accounts below this balance may only have so much under way at a time. */
const LOW_BALANCE_USD = '10';
const MAX_REMEMBERED_SPENDS = 2_000;

const CREDITS_URL = 'https://openrouter.ai/settings/credits';
const KEYS_URL = 'https://openrouter.ai/settings/keys';

/** Who sends this request, or OpenRouter's 401. */
export function authenticate(
  keys: ReadonlyMap<string, ApiKey>,
  authorization: string | undefined,
  now: number,
): ApiKey | Refusal {
  const text = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
  if (text === undefined) {
    return refuse(401, 'Missing Authentication header');
  }
  const key = keys.get(text);
  if (key === undefined) {
    return refuse(401, 'User not found.');
  }
  if (key.isDisabled) {
    return refuse(401, 'This API key is disabled.');
  }
  if (key.expiresAt !== null && Date.parse(key.expiresAt) <= now) {
    return refuse(401, 'This API key has expired.');
  }
  if (key.account.isBlocked) {
    return refuse(403, 'This account is blocked. Please contact support.', { error_type: 'permission_denied' });
  }
  return key;
}

/** Rate limits, before any credits are looked at. */
export function checkRate(key: ApiKey, isFreeModel: boolean, now: number): Refusal | null {
  if (key.isRateLimited) {
    const raw = 'The key is temporarily rate-limited upstream. Please retry shortly.';
    const metadata = { raw, provider_name: 'Simulated', limit_source: 'upstream_provider_shared_pool' };
    return withHeaders(refuse(429, 'Provider returned error', metadata), { 'retry-after': '5' });
  }
  if (!isFreeModel) {
    return null;
  }
  key.freeCallTimes = key.freeCallTimes.filter((at) => now - at < DAY_MS);
  const limit = key.account.creditsPurchased.gte(10) ? FREE_CALLS_PER_DAY_FUNDED : FREE_CALLS_PER_DAY;
  const lastMinute = key.freeCallTimes.filter((at) => now - at < MINUTE_MS).length;
  if (lastMinute >= FREE_CALLS_PER_MINUTE) {
    return refuseFreeCall('free-models-per-min', FREE_CALLS_PER_MINUTE, now + MINUTE_MS);
  }
  if (key.freeCallTimes.length >= limit) {
    return refuseFreeCall('free-models-per-day', limit, (Math.floor(now / DAY_MS) + 1) * DAY_MS);
  }
  key.freeCallTimes.push(now);
  return null;
}

export function refuseFreeCall(limit: string, calls: number, resetMs: number): Refusal {
  return refuse(429, `Rate limit exceeded: ${limit}. `, {
    headers: {
      'X-RateLimit-Limit': String(calls),
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Reset': String(resetMs),
    },
    provider_name: null,
    limit_source: limit.endsWith('day') ? 'openrouter_free_tier_daily' : 'openrouter_shared_capacity',
  });
}

export interface Estimate {
  prompt: Big;
  perToken: Big;
  maxTokens: number;
}

/** Holds the worst case of one request on the account until it is settled, or says why it cannot be paid. */
export function reserve(key: ApiKey, estimate: Estimate, now: number): { release(): void } | Refusal {
  const { account } = key;
  const worst = estimate.prompt.plus(estimate.perToken.times(estimate.maxTokens));
  const balance = account.creditsPurchased.minus(account.creditsUsed);
  if (worst.gt(0)) {
    const refusal =
      refuseEmptyAccount(key, balance) ?? refuseKeyLimit(key, now) ?? refuseTooDear(key, { estimate, balance, now });
    if (refusal !== null) {
      return refusal;
    }
  } else if (balance.lt(0)) {
    return refuseEmptyAccount(key, balance) ?? refuse(402, 'Insufficient credits');
  }
  if (balance.lt(LOW_BALANCE_USD) && account.reserved.plus(worst).gt(balance) && worst.gt(0)) {
    const metadata = {
      reason: 'in_flight_budget_exhausted',
      limit_source: 'openrouter_in_flight_budget',
      remedy_hint: 'Wait for running requests to finish, or add credits.',
    };
    const message = 'Your running requests already reserve the remaining credits of this account.';
    return withHeaders(refuse(402, message, metadata), { 'retry-after': '2' });
  }
  account.reserved = account.reserved.plus(worst);
  let isHeld = true;
  const release = (): void => {
    account.reserved = isHeld ? account.reserved.minus(worst) : account.reserved;
    isHeld = false;
  };
  return { release };
}

function refuseEmptyAccount(key: ApiKey, balance: Big): Refusal | null {
  if (balance.gt(0)) {
    return null;
  }
  const message = key.account.hasEverPurchased
    ? `Insufficient credits. Add more using ${CREDITS_URL}`
    : `Insufficient credits. This account never purchased credits. Make sure your key is on the correct account or org, and if so, purchase more at ${CREDITS_URL}`;
  return refuse(402, message, { limit_source: 'openrouter_credits' });
}

function refuseKeyLimit(key: ApiKey, now: number): Refusal | null {
  const remaining = remainingOfLimit(key, now);
  if (remaining === null || remaining.gt(0)) {
    return null;
  }
  const which = key.limitReset ?? 'total';
  return refuse(402, `Key limit exceeded (${which} limit). Manage it using ${KEYS_URL}`, {
    limit_source: 'openrouter_key_limit',
  });
}

interface Funds {
  estimate: Estimate;
  balance: Big;
  now: number;
}

function refuseTooDear(key: ApiKey, { estimate, balance, now }: Funds): Refusal | null {
  const remaining = remainingOfLimit(key, now);
  const isKeyShort = remaining !== null && remaining.lt(balance);
  const available = isKeyShort ? remaining : balance;
  const worst = estimate.prompt.plus(estimate.perToken.times(estimate.maxTokens));
  if (worst.lte(available)) {
    return null;
  }
  const left = available.minus(estimate.prompt);
  const affordable = left.gt(0) && estimate.perToken.gt(0) ? Number(left.div(estimate.perToken).toFixed(0, 0)) : 0;
  const place = isKeyShort ? `${KEYS_URL} and raise the key's limit` : `${CREDITS_URL} and add more credits`;
  const message = `This request requires more credits, or fewer max_tokens. You requested up to ${estimate.maxTokens} tokens, but can only afford ${affordable}. To increase, visit ${place}`;
  return refuse(402, message, { limit_source: isKeyShort ? 'openrouter_key_limit' : 'openrouter_credits' });
}

/** Takes the cost of a finished request from account and key. One synchronous step, so that no other request sees half of it. */
export function debit(key: ApiKey, cost: Big, now: number): void {
  key.account.creditsUsed = key.account.creditsUsed.plus(cost);
  key.spends.push({ at: now, cost });
  if (key.spends.length > MAX_REMEMBERED_SPENDS) {
    const monthStart = periodStart('monthly', now);
    key.spentBefore = key.spentBefore.plus(sum(key.spends.filter((spend) => spend.at < monthStart)));
    key.spends = mergeByDay(key.spends.filter((spend) => spend.at >= monthStart));
  }
}

/** Remembers what the provider charged the user directly. */
export function noteByokSpend(key: ApiKey, cost: Big, now: number): void {
  key.byokSpends = mergeByDay([...key.byokSpends, { at: now, cost }]);
}

function mergeByDay(spends: readonly Spend[]): Spend[] {
  const days = new Map<number, Big>();
  for (const spend of spends) {
    const day = Math.floor(spend.at / DAY_MS) * DAY_MS;
    days.set(day, (days.get(day) ?? new Big(0)).plus(spend.cost));
  }
  return [...days].map(([at, cost]) => ({ at, cost }));
}

type Period = 'daily' | 'weekly' | 'monthly';

export function spentIn(key: ApiKey, period: Period | 'ever', now: number): Big {
  if (period === 'ever') {
    return sum(key.spends).plus(key.spentBefore);
  }
  const start = periodStart(period, now);
  return sum(key.spends.filter((spend) => spend.at >= start));
}

/** The same of what the provider charged the user directly. */
export function byokSpentIn(key: ApiKey, period: Period | 'ever', now: number): Big {
  const start = period === 'ever' ? 0 : periodStart(period, now);
  return sum(key.byokSpends.filter((spend) => spend.at >= start));
}

/** What the key may still spend; null without a limit. */
export function remainingOfLimit(key: ApiKey, now: number): Big | null {
  if (key.limit === null) {
    return null;
  }
  const period = key.limitReset ?? 'ever';
  const byok = key.includesByokInLimit ? byokSpentIn(key, period, now) : new Big(0);
  return key.limit.minus(spentIn(key, period, now)).minus(byok);
}

function sum(spends: readonly Spend[]): Big {
  return spends.reduce((total, spend) => total.plus(spend.cost), new Big(0));
}

/** Weeks start on Monday; all in UTC. */
function periodStart(period: Period, now: number): number {
  const date = new Date(now);
  const day = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  switch (period) {
    case 'daily':
      return day;
    case 'weekly':
      return day - ((date.getUTCDay() + 6) % 7) * DAY_MS;
    case 'monthly':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }
}
