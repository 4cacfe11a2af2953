import { expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { fromStoredPayment, toStoredPayment, type Payment, type StoredPayment } from '#payments/index.ts';
import { useOlderDatabase } from '../../tests/support/older-database.ts';
import { makeAccount, makeOffer, pay, signOffer, toPayment, type SignedPayload } from '../../tests/support/pay.ts';

const database = useOlderDatabase('0015');
const offer = makeOffer();

/** A payment as it was stored before schemes had payloads of their own. */
function toOldPayment(payment: Payment): Record<string, unknown> {
  const { x402Version, scheme, network, payer, uniquenessKey, accepted, raw } = payment;
  const signed = payment.payload as SignedPayload;
  return { x402Version, scheme, network, payer, nonce: uniquenessKey, ...signed, ...(accepted && { accepted }), raw };
}

async function insertOld(state: string, payment: Payment, stored: Record<string, unknown>): Promise<string> {
  const id = newId();
  await database.current.system.query(
    `INSERT INTO calls (id, owner_id, resource_id, version_id, request_id, process_id, state, network, asset, payer, nonce,
                        amount_atomic, fingerprint, payment, offer, valid_before, deadline, transaction)
     VALUES ($1, 'o', $1, $1, 'r', $1, $2, $3, $4, $5, $6, 10000, 'f', $7, '{}', to_timestamp($8), now(), '0x1')`,
    [
      id,
      state,
      payment.network,
      payment.asset,
      payment.payer,
      payment.uniquenessKey,
      JSON.stringify(stored),
      payment.expiresAt,
    ],
  );
  return id;
}

async function readPayment(id: string): Promise<StoredPayment | undefined> {
  const { rows } = await database.current.system.query<{ payment: StoredPayment }>(
    'SELECT payment FROM calls WHERE id = $1',
    [id],
  );
  return rows[0]?.payment;
}

test('payments of open and kept calls survive the update: they can be settled, looked up and recognised', async () => {
  const account = makeAccount();
  const ofV2 = await pay(account, offer);
  const ofV1 = toPayment(1, offer, await signOffer(account, offer));
  const endless = await pay(account, offer, { validBefore: (2n ** 256n - 1n).toString() });
  const { raw: _raw, ...kept } = toOldPayment(await pay(account, offer));
  const { signature: _signature, ...unpaid } = kept;
  const ids = {
    pending: await insertOld('pending', ofV2, toOldPayment(ofV2)),
    settling: await insertOld('settling', ofV1, toOldPayment(ofV1)),
    claimed: await insertOld('claimed', endless, toOldPayment(endless)),
    delivered: await insertOld('delivered', { ...ofV2, uniquenessKey: 'k' }, kept),
    unpaid: await insertOld('unpaid', { ...ofV2, uniquenessKey: 'u' }, unpaid),
  };
  expect(await database.update()).toContain('0015_payment_schemes.sql');
  expect(await readPayment(ids.pending)).toEqual(toStoredPayment(ofV2, offer));
  expect(fromStoredPayment((await readPayment(ids.settling)) ?? ({} as StoredPayment))).toEqual(ofV1);
  expect(await readPayment(ids.claimed)).toEqual(toStoredPayment(endless, offer));
  const delivered = await readPayment(ids.delivered);
  expect(delivered?.payload).toEqual({ signature: kept['signature'], authorization: kept['authorization'] });
  expect(delivered).not.toHaveProperty('raw');
  expect(await readPayment(ids.unpaid)).not.toHaveProperty('payload');
});
