import { createHash } from 'node:crypto';
import { Big } from 'big.js';

export interface Account {
  userId: string;
  creditsPurchased: Big;
  creditsUsed: Big;
  hasEverPurchased: boolean;
  /** Estimates of the requests that run now. */
  reserved: Big;
}

export interface ApiKey {
  key: string;
  label: string;
  account: Account;
  limit: Big | null;
  limitReset: 'daily' | 'weekly' | 'monthly' | null;
  spends: { at: number; cost: Big }[];
  spentBefore: Big;
  isDisabled: boolean;
  expiresAt: string | null;
  isManagement: boolean;
  /** May an ordinary key read the balance of its account? OpenRouter's own may not, unless a management key asks. */
  mayReadCredits: boolean;
  isRateLimited: boolean;
  freeCallTimes: number[];
}

/** The keys that every simulator knows. They are public and open nothing but the simulator. */
export const demoKeyNames = [
  'healthy',
  'nearlyEmpty',
  'empty',
  'disabled',
  'expired',
  'limited',
  'exhausted',
  'rateLimited',
  'management',
  'freeTier',
] as const;

export type DemoKeyName = (typeof demoKeyNames)[number];
export type DemoKeys = Record<DemoKeyName, string>;

const text = (name: string): string =>
  `sk-or-v1-${createHash('sha256').update(`farebox simulated key ${name}`).digest('hex')}`;

export const demoKeys = Object.fromEntries(demoKeyNames.map((name) => [name, text(name)])) as DemoKeys;

/** Fresh accounts and keys, by key text. */
export function createDemoKeys(): Map<string, ApiKey> {
  const rich = createAccount('rich', '1000', '0');
  const nearlyEmpty = createAccount('nearly-empty', '5', '4.98');
  const empty = createAccount('empty', '5', '5');
  const unfunded = { ...createAccount('unfunded', '0', '0'), hasEverPurchased: false };
  const special: Partial<Record<DemoKeyName, Partial<ApiKey>>> = {
    nearlyEmpty: { account: nearlyEmpty },
    empty: { account: empty },
    disabled: { isDisabled: true },
    expired: { expiresAt: '2026-01-01T00:00:00.000Z' },
    limited: { limit: new Big('0.05'), limitReset: 'monthly' },
    exhausted: { limit: new Big('0.5'), spentBefore: new Big('0.5') },
    rateLimited: { isRateLimited: true },
    management: { isManagement: true },
    freeTier: { account: unfunded },
  };
  return new Map(demoKeyNames.map((name) => [demoKeys[name], createKey(demoKeys[name], rich, special[name])]));
}

function createAccount(name: string, purchased: string, used: string): Account {
  return {
    userId: `user_sim${createHash('sha256').update(name).digest('hex').slice(0, 20)}`,
    creditsPurchased: new Big(purchased),
    creditsUsed: new Big(used),
    hasEverPurchased: true,
    reserved: new Big(0),
  };
}

/** Without what is said otherwise it is an ordinary key of the account. */
export function createKey(key: string, account: Account, special: Partial<ApiKey> = {}): ApiKey {
  return {
    key,
    label: `${key.slice(0, 12)}...${key.slice(-3)}`,
    account,
    limit: null,
    limitReset: null,
    spends: [],
    spentBefore: new Big(0),
    isDisabled: false,
    expiresAt: null,
    isManagement: false,
    mayReadCredits: false,
    isRateLimited: false,
    freeCallTimes: [],
    ...special,
  };
}
