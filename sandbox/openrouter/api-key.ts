import { createHash } from 'node:crypto';
import { Big } from 'big.js';

export interface Account {
  name: string;
  userId: string;
  creditsPurchased: Big;
  creditsUsed: Big;
  hasEverPurchased: boolean;
  /** Estimates of the requests that run now. */
  reserved: Big;
  /** Its requests run on a provider key of its own: it pays the fee only. */
  usesOwnProviderKey: boolean;
  /** Only providers that keep nothing are routed to. */
  zdr: boolean;
  /** Only providers that do not train on what is sent are routed to. */
  deniesTraining: boolean;
  /** Every request of it is refused. */
  isBlocked: boolean;
  /** Whether `GET /generation/content` finds anything. */
  keepsContent: boolean;
}

export interface Spend {
  at: number;
  cost: Big;
}

export type LimitReset = 'daily' | 'weekly' | 'monthly';

export interface ApiKey {
  key: string;
  /** SHA-256 of the key in hexadecimal: its name in `/keys/{hash}`. */
  hash: string;
  name: string;
  label: string;
  account: Account;
  limit: Big | null;
  limitReset: LimitReset | null;
  includesByokInLimit: boolean;
  spends: Spend[];
  spentBefore: Big;
  /** What the provider charged the user directly. */
  byokSpends: Spend[];
  isDisabled: boolean;
  expiresAt: string | null;
  createdAt: string;
  updatedAt: string | null;
  isManagement: boolean;
  /** May an ordinary key read the balance of its account? OpenRouter's own may not, unless a management key asks. */
  mayReadCredits: boolean;
  isRateLimited: boolean;
  freeCallTimes: number[];
}

export function makeAccount(name: string, purchased: string, used: string): Account {
  return {
    name,
    userId: `user_sim${createHash('sha256').update(name).digest('hex').slice(0, 20)}`,
    creditsPurchased: new Big(purchased),
    creditsUsed: new Big(used),
    hasEverPurchased: true,
    reserved: new Big(0),
    usesOwnProviderKey: false,
    zdr: false,
    deniesTraining: false,
    isBlocked: false,
    keepsContent: true,
  };
}

interface NewKey {
  /** The whole text of the key. */
  key: string;
  account: Account;
  name: string;
  now: number;
}

/** A key without a limit that works. */
export function makeApiKey({ key, account, name, now }: NewKey): ApiKey {
  return {
    key,
    hash: createHash('sha256').update(key).digest('hex'),
    name,
    label: `${key.slice(0, 12)}...${key.slice(-3)}`,
    account,
    limit: null,
    limitReset: null,
    includesByokInLimit: false,
    spends: [],
    spentBefore: new Big(0),
    byokSpends: [],
    isDisabled: false,
    expiresAt: null,
    createdAt: new Date(now).toISOString(),
    updatedAt: null,
    isManagement: false,
    mayReadCredits: false,
    isRateLimited: false,
    freeCallTimes: [],
  };
}
