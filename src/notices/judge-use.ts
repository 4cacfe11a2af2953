import { Big } from 'big.js';

/** In percent; the level of what is used is how many of them are reached. */
const THRESHOLDS = [50, 75, 90, 100] as const;

export interface Use {
  level: number;
  /** The highest threshold that is reached; 0: none. */
  percent: number;
}

/** How far an amount is used up. An amount of nothing is used up. */
export function judgeUse({ left, whole }: { left: string; whole: string }): Use {
  const used = new Big(whole).lte(0) ? new Big(100) : new Big(whole).minus(left).div(whole).times(100);
  const reached = THRESHOLDS.filter((percent) => used.gte(percent));
  return { level: reached.length, percent: reached.at(-1) ?? 0 };
}

export interface CreditFacts {
  /** What the credits were when they last rose: the whole of which parts are told. */
  whole: string;
  last: string;
  /** The key that told them: another one may be of another account. */
  keyHash: string;
}

/** A balance that rises was topped up, so that what is there then is a new whole. */
export function judgeCredits(
  before: CreditFacts | null,
  { balance, keyHash }: { balance: string; keyHash: string },
): { use: Use; facts: CreditFacts } {
  const isNew = before === null || before.keyHash !== keyHash || new Big(balance).gt(before.last);
  const facts = { whole: isNew ? balance : before.whole, last: balance, keyHash };
  return { use: judgeUse({ left: balance, whole: facts.whole }), facts };
}
