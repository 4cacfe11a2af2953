import type { Pool } from 'pg';
import type { Database } from '#database/index.ts';
import {
  exposureOf,
  toStoredOffer,
  toStoredPayment,
  type Offer,
  type Payment,
  type SchemeList,
  type StoredPayment,
} from '#payments/index.ts';
import type { State } from './transitions.ts';

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
  /** Digests of what shows its sender to be the buyer. */
  proofs: readonly string[];
  /** How long the call may stand in `claimed`. */
  deadlineInMs: number;
}

/** The call that holds a payment, as much of it as another request with the same payment needs. */
export interface HeldCall {
  id: string;
  fingerprint: string;
  payment: StoredPayment;
  state: State;
  buyer_proofs: string[];
}

export type Claim = { kind: 'claimed' } | { kind: 'held'; call: HeldCall };

const insert = `
  INSERT INTO calls (id, owner_id, resource_id, version_id, request_id, process_id, state, network, asset, payer,
                     uniqueness_key, amount_atomic, fingerprint, payment, offer, expires_at, deadline, buyer_proofs)
  VALUES ($1, $2, $3, $4, $5, $6, 'claimed', $7, $8, $9, $10, $11, $12, $13, $14, to_timestamp($15),
          now() + $16 * interval '1 millisecond', $17)
  ON CONFLICT (network, asset, payer, uniqueness_key) WHERE state NOT IN ('refused', 'failed') DO NOTHING`;

const selectHolder = `
  SELECT id, fingerprint, payment, state, buyer_proofs FROM calls
  WHERE network = $1 AND asset = $2 AND payer = $3 AND uniqueness_key = $4 AND state NOT IN ('refused', 'failed')`;

/**
 * Takes the payment for one call, or tells which call holds it. The unique index decides, over all processes:
 * one (network, asset, payer, uniqueness key) is held by at most one call.
 */
export async function claimPayment(
  deps: { database: Pick<Database, 'system'>; payments: SchemeList },
  input: ClaimInput,
): Promise<Claim> {
  const { system } = deps.database;
  const values = toRow(deps.payments, input);
  for (;;) {
    const inserted = await system.query({ name: 'calls_claim', text: insert, values });
    if (inserted.rowCount === 1) {
      return { kind: 'claimed' };
    }
    const holder = await findHolder(system, input.payment);
    if (holder) {
      return { kind: 'held', call: holder };
    }
    // The holder failed between the two statements and released the payment: try to take it again.
  }
}

/** The call that holds this payment now, if any. */
export async function findHolder(executor: Pool, payment: Payment): Promise<HeldCall | null> {
  const found = await executor.query<HeldCall>({
    name: 'calls_holder',
    text: selectHolder,
    values: [payment.network, payment.asset, payment.payer, payment.uniquenessKey],
  });
  return found.rows[0] ?? null;
}

function toRow(schemes: SchemeList, input: ClaimInput): unknown[] {
  const { payment, offer } = input;
  return [
    input.callId,
    input.ownerId,
    input.resourceId,
    input.versionId,
    input.requestId,
    input.processId,
    payment.network,
    payment.asset,
    payment.payer,
    payment.uniquenessKey,
    exposureOf(schemes, payment, offer).toString(),
    input.fingerprint,
    JSON.stringify(toStoredPayment(payment, offer)),
    JSON.stringify(toStoredOffer(offer)),
    payment.expiresAt,
    input.deadlineInMs,
    input.proofs,
  ];
}
