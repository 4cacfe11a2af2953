import { authenticate, remainingOfLimit, spentIn } from './accounts.ts';
import { toUsd } from './cost.ts';
import type { ApiKey } from './demo-keys.ts';
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
  const remaining = remainingOfLimit(key, now);
  const used = key.freeCallTimes.length;
  return {
    label: key.label,
    is_management_key: key.isManagement,
    is_provisioning_key: key.isManagement,
    limit: key.limit === null ? null : toUsd(key.limit),
    limit_reset: key.limitReset,
    limit_remaining: remaining === null ? null : Math.max(0, toUsd(remaining)),
    include_byok_in_limit: false,
    usage: toUsd(spentIn(key, 'ever', now)),
    usage_daily: toUsd(spentIn(key, 'daily', now)),
    usage_weekly: toUsd(spentIn(key, 'weekly', now)),
    usage_monthly: toUsd(spentIn(key, 'monthly', now)),
    byok_usage: 0,
    byok_usage_daily: 0,
    byok_usage_weekly: 0,
    byok_usage_monthly: 0,
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
