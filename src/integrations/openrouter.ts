import { z } from 'zod';
import type { IntegrationService } from './integration-service.ts';

const text = z.string().max(200).nullable().default(null);

const given = z.object({
  apiKey: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]{8,512}$/, 'An OpenRouter key is 8 to 512 printable characters without spaces.'),
});

/** What OpenRouter says about a key (`GET /key`); amounts are USD as decimal text. */
const shown = z.object({
  limit: text,
  limitRemaining: text,
  limitReset: text,
  usage: text,
  usageMonthly: text,
  isFreeTier: z.boolean().default(false),
  expiresAt: text,
});

const UNCLEAR = new Set(['unreachable', 'rate_limited']);

/** The creator's own OpenRouter key, which pays for what their resources run on OpenRouter. */
export const openRouter: IntegrationService<z.output<typeof given>, z.output<typeof shown>, 'openrouter'> = {
  name: 'openrouter',
  provider: 'OpenRouter',
  credential: 'key',
  table: 'user_openrouter_integrations',
  given,
  shown,
  toKey: ({ apiKey }) => apiKey,
  toGiven: (apiKey) => ({ apiKey }),
  check: async ({ openRouter: client }, { apiKey }) => {
    const answer = await client.getKey(apiKey);
    return answer.ok
      ? { ok: true, label: answer.snapshot.label, shown: answer.snapshot }
      : { ok: false, verdict: UNCLEAR.has(answer.reason) ? 'unclear' : 'refused', detail: answer.detail };
  },
};
