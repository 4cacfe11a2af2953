import { authenticate, byokSpentIn, remainingOfLimit, spentIn } from './accounts.ts';
import { toUsd } from './cost.ts';
import type { ApiKey } from './api-key.ts';
import type { Exchange } from './exchange.ts';
import { isRefusal, refuse } from './refusal.ts';
import { replyJson, replyRefusal } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';

const FREE_CALLS_PER_DAY = 50;

/** `GET /key`: what any key may learn about itself. */
export function answerKey(state: State, { headers }: Exchange): Reply {
  const now = state.clock.now();
  const key = authenticate(state.keys, headers['authorization'], now);
  return isRefusal(key) ? replyRefusal(key) : replyJson({ data: describeKey(key, now) });
}

function describeKey(key: ApiKey, now: number): Record<string, unknown> {
  const used = key.freeCallTimes.length;
  return {
    label: key.label,
    is_management_key: key.isManagement,
    is_provisioning_key: key.isManagement,
    ...describeSpending(key, now),
    is_free_tier: !key.account.hasEverPurchased,
    expires_at: key.expiresAt,
    creator_user_id: key.account.userId,
    organization_id: null,
    workspace_id: null,
    allowed_data_regions: ['global'],
    free_model_daily_requests: {
      limit: FREE_CALLS_PER_DAY,
      remaining: Math.max(0, FREE_CALLS_PER_DAY - used),
      used,
    },
    rate_limit: { requests: -1, interval: '10s', note: 'This field is deprecated and safe to ignore.' },
  };
}

/** Limit and usage, as `/key` and `/keys` tell them. */
export function describeSpending(key: ApiKey, now: number): Record<string, unknown> {
  const remaining = remainingOfLimit(key, now);
  return {
    limit: key.limit === null ? null : toUsd(key.limit),
    limit_reset: key.limitReset,
    limit_remaining: remaining === null ? null : Math.max(0, toUsd(remaining)),
    include_byok_in_limit: key.includesByokInLimit,
    usage: toUsd(spentIn(key, 'ever', now)),
    usage_daily: toUsd(spentIn(key, 'daily', now)),
    usage_weekly: toUsd(spentIn(key, 'weekly', now)),
    usage_monthly: toUsd(spentIn(key, 'monthly', now)),
    byok_usage: toUsd(byokSpentIn(key, 'ever', now)),
    byok_usage_daily: toUsd(byokSpentIn(key, 'daily', now)),
    byok_usage_weekly: toUsd(byokSpentIn(key, 'weekly', now)),
    byok_usage_monthly: toUsd(byokSpentIn(key, 'monthly', now)),
  };
}

/** `GET /credits`: management keys, and whichever a test lets. */
export function answerCredits(state: State, { headers }: Exchange): Reply {
  const key = authenticate(state.keys, headers['authorization'], state.clock.now());
  if (isRefusal(key)) {
    return replyRefusal(key);
  }
  if (!key.isManagement && !key.mayReadCredits) {
    return replyRefusal(refuse(403, 'Only management keys can fetch credits for an account'));
  }
  const { creditsPurchased, creditsUsed } = key.account;
  return replyJson({ data: { total_credits: toUsd(creditsPurchased), total_usage: toUsd(creditsUsed) } });
}
