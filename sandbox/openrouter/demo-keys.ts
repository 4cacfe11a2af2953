import { createHash } from 'node:crypto';
import { Big } from 'big.js';
import { makeAccount, makeApiKey } from './api-key.ts';
import type { ApiKey } from './api-key.ts';

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
  'ownProviderKey',
] as const;

export type DemoKeyName = (typeof demoKeyNames)[number];
export type DemoKeys = Record<DemoKeyName, string>;

/** When the demo keys were made, whatever the clock says: answers do not depend on when the process started. */
const BEGINNING = Date.UTC(2026, 0, 1);

const text = (name: string): string =>
  `sk-or-v1-${createHash('sha256').update(`farebox simulated key ${name}`).digest('hex')}`;

export const demoKeys = Object.fromEntries(demoKeyNames.map((name) => [name, text(name)])) as DemoKeys;

/** Fresh accounts and keys, by key text. */
export function createDemoKeys(): Map<string, ApiKey> {
  const rich = makeAccount('rich', '1000', '0');
  const nearlyEmpty = makeAccount('nearly-empty', '5', '4.98');
  const empty = makeAccount('empty', '5', '5');
  const unfunded = { ...makeAccount('unfunded', '0', '0'), hasEverPurchased: false };
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
    ownProviderKey: { account: { ...makeAccount('own-provider-key', '100', '0'), usesOwnProviderKey: true } },
  };
  return new Map(
    demoKeyNames.map((name) => [
      demoKeys[name],
      { ...makeApiKey({ key: demoKeys[name], account: rich, name, now: BEGINNING }), ...special[name] },
    ]),
  );
}
