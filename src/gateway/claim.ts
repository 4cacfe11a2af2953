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
import type { SettlementPoint } from '#resources/index.ts';
import type { State } from './transitions.ts';
import { refusalLimits } from './trust-limits.ts';

interface ClaimInput {
  callId: string;
  ownerId: string;
  resourceId: string;
  versionId: string;
  requestId: string;
  processId: string;
  payment: Payment;
  offer: Offer;
  /** When money moves for it. */
  settlementPoint: SettlementPoint;
  /** When the offer was published. */
  offeredAt: Date;
  /** Digest of method, URL and body: the request that the payment is bound to. */
  fingerprint: string;
  /** Digests of what shows its sender to be the buyer. */
  proofs: readonly string[];
  /** How long the call may stand in `claimed`. */
  deadlineInMs: number;
  /** What its run may cost at most, in USD, where it is done before the money moves; null where it is not. */
  trustUsd: string | null;
  /** The client's network, from `toClient`. */
  client: string;
  /** It is answered with 202 and carried out behind it. */
  isLong?: true;
  /** Many inputs. */
  batchOf?: object;
}

/** The call that holds a payment, as much of it as another request with the same payment needs. */
export interface HeldCall {
  id: string;
  fingerprint: string;
  payment: StoredPayment;
  state: State;
  buyer_proofs: string[];
  runs_long: boolean;
}

/** `limited`: too many payments of the wallet, or of new wallets from its network, were refused lately. */
export type Claim = { kind: 'claimed' } | { kind: 'limited' } | { kind: 'held'; call: HeldCall };

const isLate = `updated_at > now() - $19 * interval '1 second'`;

/** Payments that were not good. What failed here, or because the chain did not answer, is no fault of the payer. */
const isRefused = `(state = 'unpaid'
    OR (state = 'refused' AND reason NOT IN ('unexpected_verify_error', 'internal', 'abandoned', 'unavailable')))
  AND ${isLate}`;

/**
 * One statement over all processes. A wallet is limited by its own refused payments; those of its neighbours matter only
 * to a wallet that has never paid here.
 */
const insert = `
  WITH payer AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM calls WHERE payer = $9 AND owner_id = $2 AND settled_at IS NOT NULL) AS has_paid_creator,
           EXISTS (SELECT FROM calls WHERE payer = $9 AND settled_at IS NOT NULL) AS has_paid,
           (SELECT count(*) FROM calls WHERE payer = $9 AND state IN ('unpaid', 'refused') AND ${isRefused}) AS refused),
  limited AS MATERIALIZED (
    SELECT has_paid_creator, CASE WHEN refused >= $20 THEN true WHEN has_paid THEN false ELSE $21 <=
      (SELECT count(*) FROM calls WHERE client = $18 AND state IN ('unpaid', 'refused') AND ${isRefused}) +
      (SELECT count(*) FROM calls WHERE client = $18 AND state = 'claimed') END AS is_limited
    FROM payer),
  made AS (
    INSERT INTO calls (id, owner_id, resource_id, version_id, request_id, process_id, state, network, asset, payer,
                       uniqueness_key, amount_atomic, fingerprint, payment, offer, expires_at, deadline, trust_usd, client,
                       buyer_proofs, settlement_point, offered_at, runs_long, is_batch)
    SELECT $1, $2, $3, $4, $5, $6, 'claimed', $7, $8, $9, $10, $11, $12, $13, $14, to_timestamp($15),
           now() + $16 * interval '1 millisecond', $17, CASE WHEN NOT has_paid_creator THEN $18 END, $22, $23, $24, $25, $26
    FROM limited WHERE NOT is_limited
    ON CONFLICT (network, asset, payer, uniqueness_key) WHERE state NOT IN ('refused', 'failed') DO NOTHING
    RETURNING id)
  SELECT is_limited, EXISTS (SELECT FROM made) AS is_made FROM limited`;

const selectHolder = `
  SELECT id, fingerprint, payment, state, buyer_proofs, runs_long FROM calls
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
    const tried = await system.query<{ is_limited: boolean; is_made: boolean }>({
      name: 'calls_claim',
      text: insert,
      values,
    });
    const { is_limited: isLimited = false, is_made: isMade = false } = tried.rows[0] ?? {};
    if (isMade) {
      return { kind: 'claimed' };
    }
    const holder = await findHolder(system, input.payment);
    if (holder) {
      return { kind: 'held', call: holder };
    }
    if (isLimited) {
      return { kind: 'limited' };
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
    input.trustUsd,
    input.client,
    refusalLimits.seconds,
    refusalLimits.perWallet,
    refusalLimits.perClient,
    input.proofs,
    input.settlementPoint,
    input.offeredAt,
    input.isLong === true,
    input.batchOf !== undefined,
  ];
}
