import { Big } from 'big.js';
import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, type Caller, type Clock } from '#kit/index.ts';
import { DAY_MS, toDay } from './platform-day.ts';

export interface PlatformShareDeps {
  clock: Clock;
  /** Null: the operator has no key for creators. */
  platformKey: {
    dailyUsd: string;
    isCovered(username: string): boolean;
    findOutage(): Promise<number | null>;
  } | null;
}

const usd = z.string().describe('USD as a decimal.');

export const getPlatformShare = operation({
  name: 'integrations.platform_share.get',
  route: 'GET /api/user/platform-share',
  summary: "What you may spend of the operator's OpenRouter key today, and what is left of it",
  scope: 'integrations:read',
  input: z.object({}),
  output: z.object({
    isCovered: z
      .boolean()
      .describe(
        "Does the operator's key stand in wherever you have none that works, is switched on and is not refused?",
      ),
    isWorking: z.boolean(),
    dailyUsd: usd,
    spentUsd: usd,
    reservedUsd: usd.describe('What runs that have not ended may cost at most, in USD.'),
    remainingUsd: usd.describe('A call is run only where the most that it may cost is no more than this, in USD.'),
    resetsAt: z.string(),
  }),
  run: async ({ tx, clock, platformKey }: PlatformShareDeps & InTransaction, caller: Caller) => {
    assertUser(caller);
    const now = clock.now();
    const isCovered = platformKey?.isCovered(caller.username) ?? false;
    const { rows } = await tx.query<{ spent: string; reserved: string }>(
      `SELECT spent_usd::text AS spent, reserved_usd::text AS reserved FROM platform_key_days
       WHERE owner_id = $1 AND day = $2`,
      [caller.userId, toDay(now)],
    );
    const { spent, reserved } = rows[0] ?? { spent: '0', reserved: '0' };
    const dailyUsd = isCovered ? (platformKey?.dailyUsd ?? '0') : '0';
    const left = new Big(dailyUsd).minus(spent).minus(reserved);
    return {
      isCovered,
      isWorking: isCovered && (await platformKey?.findOutage()) === null,
      dailyUsd,
      spentUsd: new Big(spent).toFixed(),
      reservedUsd: new Big(reserved).toFixed(),
      remainingUsd: (left.lt(0) ? new Big(0) : left).toFixed(),
      resetsAt: new Date((Math.floor(now / DAY_MS) + 1) * DAY_MS).toISOString(),
    };
  },
});
