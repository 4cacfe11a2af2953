import { openLimiter, type Database } from '#database/index.ts';
import { Problem, toNetwork } from '#kit/index.ts';

const QUARTER_HOUR = 15 * 60;
const HOUR = 60 * 60;

interface Attempt {
  /**
   * What was given to sign in with, in its one spelling. Never looked up: whether a count is full must not depend on which
   * address and which name belong to one account.
   */
  identifier: string;
  clientAddress: string | undefined;
  /** The id of a client that has signed in to this account before; null for all others. */
  knownClient: string | null;
}

export interface SignInLimits {
  /** Counts an attempt before its password is looked at. Throws `rate_limited`. @returns what takes the count back once it succeeded. */
  take(attempt: Attempt): Promise<() => Promise<void>>;
}

/**
 * Counts failed sign-ins per identifier over all processes (docs/decisions/0025). Clients that have signed in to the account
 * before are counted each on their own, so that strangers who guess cannot shut the owner out.
 */
export function openSignInLimits(database: Database): SignInLimits {
  const known = openLimiter({ name: 'sign-in-known', points: 10, seconds: QUARTER_HOUR, database });
  const fromNetwork = openLimiter({ name: 'sign-in-address', points: 10, seconds: QUARTER_HOUR, database });
  const strangers = openLimiter({ name: 'sign-in-strangers', points: 25, seconds: HOUR, database });
  return {
    take: async ({ identifier, clientAddress, knownClient }) => {
      const network = clientAddress === undefined ? null : toNetwork(clientAddress);
      const ofStrangers = [
        ...(network === null ? [] : [{ limiter: fromNetwork, key: `${identifier} ${network}` }]),
        { limiter: strangers, key: identifier },
      ];
      const counts = knownClient === null ? ofStrangers : [{ limiter: known, key: knownClient }];
      for (const { limiter, key } of counts) {
        const { isAllowed, retryAfterSeconds } = await limiter.take(key);
        if (!isAllowed) {
          throw tooMany(retryAfterSeconds);
        }
      }
      return async () => {
        await Promise.all(counts.map(({ limiter, key }) => limiter.giveBack(key)));
      };
    },
  };
}

function tooMany(seconds: number): Problem {
  return new Problem('rate_limited', {
    detail: `Too many attempts to sign in to this account. Try again in ${seconds} seconds.`,
    next: 'Wait as long as the Retry-After header says. A browser that has signed in to the account before is not held up by the attempts of others, and API keys go on working.',
    headers: { 'Retry-After': String(seconds) },
  });
}
