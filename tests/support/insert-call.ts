import { newId } from '#kit/index.ts';
import type { Database } from '#database/index.ts';
import type { Offer, Payment } from '#payments/index.ts';

interface InsertedCall {
  state: string;
  payment?: Payment;
  offer?: Offer;
  /** How long ago the call was made, last moved and, where it is paid, settled. */
  ageSeconds?: number;
  dueInSeconds?: number;
}

/** A call as the gateway would have left it, without having made it. */
export async function insertCall(database: Database, call: InsertedCall): Promise<string> {
  const { state, payment, offer, ageSeconds = 0, dueInSeconds = -1 } = call;
  const id = newId();
  await database.system.query(
    `INSERT INTO calls (id, owner_id, resource_id, version_id, request_id, process_id, state, network, asset, payer, nonce,
                        amount_atomic, fingerprint, payment, offer, valid_before, deadline, answer, transaction,
                        created_at, updated_at, settled_at)
     VALUES ($1, 'o', $1, $1, 'r', $1, $2, $3, $4, $5, $6, 10000, 'f', $7, $8, now() + interval '1 hour',
             now() + $9 * interval '1 second', '{}', '0x1', now() - $10 * interval '1 second',
             now() - $10 * interval '1 second', now() - $10 * interval '1 second')`,
    [
      id,
      state,
      payment?.network ?? 'n',
      offer?.asset.toLowerCase() ?? 'a',
      payment?.payer ?? 'p',
      payment?.nonce ?? id,
      JSON.stringify(payment ?? { signature: '0x5', raw: 'e30=', authorization: { nonce: '0x1' } }),
      JSON.stringify(offer ? { ...offer, amountAtomic: offer.amountAtomic.toString() } : {}),
      dueInSeconds,
      ageSeconds,
    ],
  );
  return id;
}
