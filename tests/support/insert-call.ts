import { newId } from '#kit/index.ts';
import type { Database } from '#database/index.ts';
import { toStoredOffer, toStoredPayment, type Offer, type Payment } from '#payments/index.ts';

interface InsertedCall {
  state: string;
  payment?: Payment;
  offer?: Offer;
  /** How long ago the call was made, last moved and, where it is paid, settled. */
  ageSeconds?: number;
  /** How long ago it was last moved, where that was later. */
  movedSecondsAgo?: number;
  dueInSeconds?: number;
}

/** A call as the gateway would have left it, without having made it. */
export async function insertCall(database: Database, call: InsertedCall): Promise<string> {
  const { state, payment, offer, ageSeconds = 0, movedSecondsAgo = ageSeconds, dueInSeconds = -1 } = call;
  const id = newId();
  await database.system.query(
    `INSERT INTO calls (id, owner_id, resource_id, version_id, request_id, process_id, state, network, asset, payer,
                        uniqueness_key, amount_atomic, fingerprint, payment, offer, expires_at, deadline, answer, transaction,
                        created_at, updated_at, settled_at)
     VALUES ($1, 'o', $1, $1, 'r', $1, $2, $3, $4, $5, $6, 10000, 'f', $7, $8, now() + interval '1 hour',
             now() + $9 * interval '1 second', '{}', '0x1', now() - $10 * interval '1 second',
             now() - $11 * interval '1 second', now() - $10 * interval '1 second')`,
    [
      id,
      state,
      payment?.network ?? 'n',
      payment?.asset ?? 'a',
      payment?.payer ?? 'p',
      payment?.uniquenessKey ?? id,
      JSON.stringify(
        payment && offer ? toStoredPayment(payment, offer) : { payload: { signature: '0x5' }, raw: 'e30=' },
      ),
      JSON.stringify(offer ? toStoredOffer(offer) : {}),
      dueInSeconds,
      ageSeconds,
      movedSecondsAgo,
    ],
  );
  return id;
}
