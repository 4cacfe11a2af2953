import type { Database } from '#database/index.ts';
import type { User } from '#kit/index.ts';
import { deleteSpendCap } from '#usage/delete-spend-cap.ts';
import { listSpendCaps } from '#usage/list-spend-caps.ts';
import { putSpendCap } from '#usage/put-spend-cap.ts';
import { perform } from './perform.ts';

interface Cap {
  scope: 'key' | 'resource' | 'payer';
  perDayUsd: string;
  subject?: string;
}

const toUser = (userId: string): User => ({
  kind: 'user',
  userId,
  username: userId,
  email: '',
  isAdmin: false,
  via: 'session',
  scopes: ['usage:read', 'resources:write'],
});

/** The caps of creators as they set them themselves, of a process that remembers nothing. */
export function capSpending(database: { readonly current: Database }) {
  const deps = { isOwnResource: async () => true, forgetCaps: () => {} };
  return {
    put: (ownerId: string, cap: Cap) => perform(putSpendCap, [deps, toUser(ownerId), database.current], cap),
    list: async (ownerId: string) => (await perform(listSpendCaps, [{}, toUser(ownerId), database.current], {})).items,
    remove: (ownerId: string, id: string) => perform(deleteSpendCap, [{}, toUser(ownerId), database.current], { id }),
  };
}
