import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { sha256Hex, type RateLimiter } from '#kit/index.ts';
import { takeInBlocks, type Block } from './take-in-blocks.ts';
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

/** A high limit is taken in so many blocks. */
const BLOCKS = 100;

/**
 * So many units per key and time; units come back together when the time is over. Of a limit of 200 or more that all
 * processes share, each takes a hundredth at once instead of writing a row for every unit: never more than `points` are
 * allowed, and what a process has left of its block when the time is over is lost.
 */
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
  const size = options.database ? Math.max(1, Math.floor(options.points / BLOCKS)) : 1;
  return {
    take: takeInBlocks(size, async (key): Promise<Block> => {
      try {
        const { msBeforeNext } = await limiter.consume(toStored(key), size);
        return { isAllowed: true, retryAfterSeconds: 0, endsInMs: msBeforeNext };
      } catch (error) {
        if (error instanceof RateLimiterRes) {
          const { msBeforeNext: endsInMs } = error;
          return { isAllowed: false, retryAfterSeconds: Math.max(1, Math.ceil(endsInMs / 1000)), endsInMs };
        }
        throw error;
      }
    }),
    giveBack: async (key) => {
      await limiter.reward(toStored(key));
    },
  };
}

/** No address or name at rest. */
function toStored(key: string): string {
  return sha256Hex(key).slice(0, 32);
}
