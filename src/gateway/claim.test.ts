import { expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import type { Payment } from '#payments/index.ts';
import { makeAccount, makeOffer, pay, schemeList } from '../../tests/support/pay.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { claimPayment, findHolder } from './claim.ts';

const database = useTestDatabase();
const offer = makeOffer();

function claim(payment: Payment, callId = newId()) {
  return claimPayment(
    { database: database.current, payments: schemeList },
    {
      callId,
      ownerId: 'creator-1',
      resourceId: newId(),
      versionId: newId(),
      requestId: newId(),
      processId: newId(),
      payment,
      offer,
      proofs: [],
      fingerprint: 'f',
      settlementPoint: 'on_success',
      offeredAt: new Date(),
      deadlineInMs: 1000,
      trustUsd: '0.01',
      client: 'c',
    },
  );
}

test('of 50 at once, one holds the payment and the others learn which', async () => {
  const payment = await pay(makeAccount(), offer);
  const claims = await Promise.all(Array.from({ length: 50 }, () => claim(payment)));
  const holder = await findHolder(database.current.system, payment);
  expect(claims.filter((made) => made.kind === 'claimed')).toHaveLength(1);
  const held = claims.flatMap((made) => (made.kind === 'held' ? [made.call.id] : []));
  expect(new Set(held)).toEqual(new Set([holder?.id]));
});

test('a payment that was released by a failure may be claimed again', async () => {
  const payment = await pay(makeAccount(), offer);
  const callId = newId();
  expect(await claim(payment, callId)).toEqual({ kind: 'claimed' });
  await database.current.system.query(`UPDATE calls SET state = 'failed' WHERE id = $1`, [callId]);
  expect(await claim(payment)).toEqual({ kind: 'claimed' });
});

test('an authorisation that never ends can be claimed', async () => {
  const payment = await pay(makeAccount(), offer, { validBefore: (2n ** 256n - 1n).toString() });
  expect(await claim(payment)).toEqual({ kind: 'claimed' });
});
