import { z } from 'zod';
import type { IntegrationService, ProviderAnswer } from './integration-service.ts';

const text = z.string().max(200).nullable().default(null);

const given = z.object({
  apiKey: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]{8,512}$/, 'An OpenRouter key is 8 to 512 printable characters without spaces.'),
});

/** What OpenRouter says about a key (`GET /key`, `GET /credits`); amounts are USD as decimal text. */
const shown = z.object({
  /** The balance of the account behind the key; null where OpenRouter does not tell it to this key. */
  creditsUsd: text,
  limit: text,
  limitRemaining: text,
  limitReset: text,
  usage: text,
  usageMonthly: text,
  isFreeTier: z.boolean().default(false),
  expiresAt: text,
});

function isSpent({ creditsUsd }: Pick<z.output<typeof shown>, 'creditsUsd'>): boolean {
  return creditsUsd !== null && Number(creditsUsd) <= 0;
}

const UNCLEAR = new Set(['unreachable', 'rate_limited']);

/** The creator's own OpenRouter key, which pays for what their resources run on OpenRouter. */
export const openRouter: IntegrationService<z.output<typeof given>, z.output<typeof shown>, 'openrouter'> = {
  name: 'openrouter',
  provider: 'OpenRouter',
  credential: 'key',
  remedy: 'Make one at https://openrouter.ai/settings/keys and send {"apiKey": "sk-or-v1-…"}.',
  table: 'user_openrouter_integrations',
  given,
  shown,
  toKey: ({ apiKey }) => apiKey,
  toGiven: (apiKey) => ({ apiKey }),
  isSpent,
  check: async ({ openRouter: client }, { apiKey }): Promise<ProviderAnswer> => {
    const answer = await client.getKey(apiKey);
    if (answer.snapshot === undefined) {
      return { ok: false, verdict: UNCLEAR.has(answer.reason) ? 'unclear' : 'refused', detail: answer.detail };
    }
    const credits = await client.getCredits(apiKey);
    const { label, ...snapshot } = answer.snapshot;
    const kept = { ...snapshot, creditsUsd: credits.outcome === 'known' ? credits.balanceUsd : null };
    const hasCredit = credits.outcome === 'known' ? !isSpent(kept) : null;
    if (!answer.ok) {
      return { ok: false, verdict: 'refused', detail: answer.detail, shown: kept, hasCredit };
    }
    if (credits.outcome === 'unreachable') {
      const detail = 'OpenRouter could not say what credits stand behind this key. Try again in a minute.';
      return { ok: false, verdict: 'unclear', detail };
    }
    if (isSpent(kept)) {
      const detail =
        'The OpenRouter account behind this key has no credits left. Add some at https://openrouter.ai/settings/credits, or store the key of another account.';
      return { ok: false, verdict: 'refused', detail, shown: kept, hasCredit };
    }
    return { ok: true, label, shown: kept, hasCredit };
  },
};
