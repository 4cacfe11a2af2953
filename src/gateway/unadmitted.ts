import { Problem } from '#kit/index.ts';
import type { CallOutcome } from './call-request.ts';
import type { Standing } from './read-standing.ts';

/** `beyond_*`: one of the bounds of work on trust, and the kind cannot be paid before it runs. */
export type Unadmitted =
  | 'exceeds_balance'
  | 'too_many_reverted'
  | 'network_reverted'
  | 'one_at_a_time'
  | `beyond_${NonNullable<Standing['beyond']>}`;

const sameAgain = 'Send the same payment again after the Retry-After time.';

/** What a payer reads whose payment is good and may not be worked on now. */
const unadmitted: Record<Exclude<Unadmitted, 'exceeds_balance'>, { detail: string; next: string; seconds: number }> = {
  beyond_wallet: {
    detail: 'This wallet has as many unpaid or unfinished calls as it may have.',
    next: `Wait for the answers that are under way. ${sameAgain}`,
    seconds: 5,
  },
  beyond_client: {
    detail: 'Wallets that are new here have as many unpaid or unfinished calls from your network as they may have.',
    next: sameAgain,
    seconds: 10,
  },
  beyond_resource: { detail: 'The resource has too many calls under way.', next: sameAgain, seconds: 10 },
  beyond_creator: { detail: 'The resource has too many calls under way.', next: sameAgain, seconds: 10 },
  one_at_a_time: {
    detail: 'Payments of contract wallets are settled one at a time until the wallet has paid for some calls.',
    next: `Wait for the answers that are under way. ${sameAgain}`,
    seconds: 5,
  },
  too_many_reverted: {
    detail: 'Too many payments of this wallet failed on the chain within a day.',
    next: 'Pay from another wallet, or wait a day.',
    seconds: 86_400,
  },
  network_reverted: {
    detail: 'Too many payments of new contract wallets from your network failed on the chain within a day.',
    next: 'Pay from a wallet that signs with its own key, or wait a day.',
    seconds: 86_400,
  },
};

/** The same for the creator; why a payment is not covered by its wallet is said by the reason. */
export const unadmittedCauses: Record<Unadmitted, string> = {
  exceeds_balance: 'The wallet has more open calls than its balance pays for.',
  beyond_wallet:
    'The wallet has as much open or unpaid work as it is trusted with, and this kind cannot be paid first.',
  beyond_client: 'New wallets from one network have as much open or unpaid work as they are trusted with.',
  beyond_resource:
    'The resource has as much open or unpaid work as one resource may have (half of your limit per day).',
  beyond_creator: 'Your resources have as much open or unpaid work as your limit per day allows (PUT /api/user/trust).',
  one_at_a_time: 'A contract wallet that has not paid for many calls sent several at once.',
  too_many_reverted: 'Settlements of this wallet failed on the chain and cost gas.',
  network_reverted: 'Settlements of new contract wallets from one network failed on the chain and cost gas.',
};

export function notAdmitted(why: Exclude<Unadmitted, 'exceeds_balance'>): CallOutcome {
  const { detail, next, seconds } = unadmitted[why];
  const headers = { 'Retry-After': String(seconds) };
  return {
    kind: 'problem',
    problem: new Problem('rate_limited', { detail: `${detail} Nothing was charged.`, next, headers }),
    charged: false,
  };
}
