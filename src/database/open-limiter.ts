import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { sha256Hex, type RateLimiter } from '#kit/index.ts';
import type { Database } from './open-database.ts';

interface LimitOptions {
  /** Tells limits apart that share the table. */
  name: string;
  points: number;
  seconds: number;
  /** Given: counted over all processes. Absent: in this process only. */
  database?: Database;
}

interface Limiter extends RateLimiter {
  /** Takes back one unit that was counted, where it turned out not to count. */
  giveBack(key: string): Promise<void>;
}

/** So many units per key and time; units come back together when the time is over. */
export function openLimiter(options: LimitOptions): Limiter {
  const shared = { keyPrefix: options.name, points: options.points, duration: options.seconds };
  const limiter = options.database
    ? new RateLimiterPostgres({
        ...shared,
        storeClient: options.database.system,
        storeType: 'pool',
        tableName: 'rate_limits',
        tableCreated: true,
        clearExpiredByTimeout: false,
        inMemoryBlockOnConsumed: options.points + 1,
      })
    : new RateLimiterMemory(shared);
  return {
    take: async (key) => {
      try {
        await limiter.consume(toStored(key));
        return { isAllowed: true, retryAfterSeconds: 0 };
      } catch (error) {
        if (error instanceof RateLimiterRes) {
          return { isAllowed: false, retryAfterSeconds: Math.max(1, Math.ceil(error.msBeforeNext / 1000)) };
        }
        throw error;
      }
    },
    giveBack: async (key) => {
      await limiter.reward(toStored(key));
    },
  };
}

/** No address or name at rest. */
function toStored(key: string): string {
  return sha256Hex(key).slice(0, 32);
}
