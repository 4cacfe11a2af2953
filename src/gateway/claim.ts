import type { Pool, PoolClient } from 'pg';
import type { Offer } from './offer.ts';
import type { Authorization, Payment } from './payment.ts';

interface ClaimInput {
  callId: string;
  ownerId: string;
  resourceId: string;
  versionId: string;
  requestId: string;
  processId: string;
  payment: Payment;
  offer: Offer;
  /** Digest of method, URL and body: the request that the payment is bound to. */
  fingerprint: string;
  /** How long the call may stand in `claimed`. */
  deadlineInMs: number;
}

/** The call that holds a payment, as much of it as another request with the same payment needs. */
export interface HeldCall {
  id: string;
  state: string;
  fingerprint: string;
  versionId: string;
  signature: string;
  authorization: Authorization;
  answer: string | null;
  transaction: string | null;
  reason: string | null;
}

export type Claim = { kind: 'claimed' } | { kind: 'held'; call: HeldCall };

/** Authorisations may be valid for ever (2^256 - 1); PostgreSQL's time ends sooner. The last second of the year 9999. */
const END_OF_TIME = 253_402_300_799;

const insert = `
  INSERT INTO calls (id, owner_id, resource_id, version_id, request_id, process_id, state, network, asset, payer, nonce,
                     amount_atomic, fingerprint, payment, offer, valid_before, deadline)
  VALUES ($1, $2, $3, $4, $5, $6, 'claimed', $7, $8, $9, $10, $11, $12, $13, $14, to_timestamp($15),
          now() + $16 * interval '1 millisecond')
  ON CONFLICT (network, asset, payer, nonce) WHERE state NOT IN ('refused', 'failed') DO NOTHING`;

const selectHolder = `
  SELECT id, state, fingerprint, version_id AS "versionId", answer, transaction, reason,
         payment->>'signature' AS signature, payment->'authorization' AS authorization
  FROM calls
  WHERE network = $1 AND asset = $2 AND payer = $3 AND nonce = $4 AND state NOT IN ('refused', 'failed')`;

/**
 * Takes the payment for one call, or tells which call holds it. The unique index decides, over all processes:
 * one (network, asset, payer, nonce) is held by at most one call (issue 2, section 4: replay, double spend).
 */
export async function claimPayment(executor: Pool | PoolClient, input: ClaimInput): Promise<Claim> {
  for (;;) {
    const inserted = await executor.query({ name: 'calls_claim', text: insert, values: toRow(input) });
    if (inserted.rowCount === 1) {
      return { kind: 'claimed' };
    }
    const holder = await findHolder(executor, input);
    if (holder) {
      return { kind: 'held', call: holder };
    }
    // The holder failed between the two statements and released the payment: try to take it again.
  }
}

/** The call that holds this payment now, if any. */
export async function findHolder(
  executor: Pool | PoolClient,
  key: { payment: Payment; offer: Pick<Offer, 'asset'> },
): Promise<HeldCall | null> {
  const { payment, offer } = key;
  const found = await executor.query<HeldCall>({
    name: 'calls_holder',
    text: selectHolder,
    values: [payment.network, offer.asset.toLowerCase(), payment.payer, payment.nonce],
  });
  return found.rows[0] ?? null;
}

function toRow(input: ClaimInput): unknown[] {
  const { payment, offer } = input;
  return [
    input.callId,
    input.ownerId,
    input.resourceId,
    input.versionId,
    input.requestId,
    input.processId,
    payment.network,
    offer.asset.toLowerCase(),
    payment.payer,
    payment.nonce,
    offer.amountAtomic.toString(),
    input.fingerprint,
    JSON.stringify(toStored(payment, offer)),
    JSON.stringify({ ...offer, amountAtomic: offer.amountAtomic.toString() }),
    Math.min(Number(payment.authorization.validBefore), END_OF_TIME),
    input.deadlineInMs,
  ];
}

/** Of what the client claims to accept only the parts that were compared with our offer: the rest may be anything. */
function toStored(payment: Payment, offer: Offer): Payment {
  return payment.accepted ? { ...payment, accepted: { ...payment.accepted, extra: { ...offer.extra } } } : payment;
}
