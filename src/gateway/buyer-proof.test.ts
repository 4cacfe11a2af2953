import { expect, test } from 'vitest';
import type { Payment } from '#payments/index.ts';
import { isBuyer, toShown } from './buyer-proof.ts';
import type { CallRequest } from './call-request.ts';
import type { State } from './transitions.ts';

const [secret, other] = ['s'.repeat(24), 'o'.repeat(24)];
const request = { idempotencyKey: '', clientAddress: '192.0.2.1' } as CallRequest;
const version = { creator: 'ada', slug: 'essay', version: 1 };

/** A request with the payment of a call, which has shown a buyer-secret or nothing. */
function ask(
  state: State,
  { bound, shown, fingerprint = 'f' }: { bound: boolean; shown?: string; fingerprint?: string },
) {
  const echo = (buyerSecret?: string) => ({ echoed: buyerSecret ? { buyerSecret } : {} }) as Payment;
  const secrets = bound ? toShown(request, echo(secret)).secrets : [];
  const held = {
    id: 'c',
    fingerprint: 'f',
    payment: {} as never,
    state,
    runs_long: false,
    buyer_proofs: [...secrets, 'token'],
  };
  const payment = echo(shown);
  return isBuyer({} as never, held, { payment, shown: toShown(request, payment), fingerprint, version });
}

test.each<State>(['claimed', 'running', 'failed', 'refused'])(
  'a payment of a call in %s is no proof where its buyer has bound a secret, because others may have sent it to the chain',
  async (state) => {
    expect(await ask(state, { bound: true })).toBe(false);
    expect(await ask(state, { bound: true, shown: other })).toBe(false);
    expect(await ask(state, { bound: true, shown: secret })).toBe(true);
    expect(await ask(state, { bound: false })).toBe(true);
    expect(await ask(state, { bound: false, fingerprint: 'of another request' })).toBe(false);
  },
);

test.each<State>(['settling', 'pending', 'settled', 'delivered', 'owed'])(
  'a payment of a call in %s, which may be on the chain, is never a proof alone',
  async (state) => {
    expect(await ask(state, { bound: false })).toBe(false);
    expect(await ask(state, { bound: true, shown: secret })).toBe(true);
  },
);
