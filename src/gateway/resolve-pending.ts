import {
  fromStoredOffer,
  fromStoredPayment,
  lookupSettlement,
  settlePayment,
  type Offer,
  type Payment,
  type StoredOffer,
  type StoredPayment,
} from '#payments/index.ts';
import { closeSettled } from './close-settled.ts';
import { closeUnpaid } from './close-unpaid.ts';
import type { StoredRecord } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { RUN_MARGIN_MS } from './run-limit.ts';

type ResolveDeps = Pick<GatewayDeps, 'database' | 'payments' | 'log' | 'clock'>;

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;
/** Buyers ask as often as they like; the chain is asked once in this time per call. */
const LOOK_EVERY_MS = 1_000;
/** More than a settlement takes to answer, so that no other process sends beside it. */
const SEND_MARGIN_MS = 5_000;
/** Of transactions that were mined without moving the money; afterwards the chain is only asked. */
const MAX_SETTLE_ATTEMPTS = 2;

interface PendingRow {
  payment: StoredPayment;
  offer: StoredOffer;
  record: string;
  created_at: Date;
  is_due: boolean;
  pause_ms: number;
}

/** Takes the look, and the turn to send if it has come: then the next turn is put off, each time twice as long. */
const takeTurn = `
  UPDATE calls SET
    looked_up_at = now(),
    resolve_tries = calls.resolve_tries + turn.is_due::int,
    deadline = CASE WHEN turn.is_due THEN now() + turn.pause_ms * interval '1 millisecond' ELSE calls.deadline END
  FROM (
    SELECT id, deadline <= now() AS is_due, least($2 * power(2, least(resolve_tries, 20)), $3) AS pause_ms
    FROM calls
    WHERE id = $1 AND state = 'pending'
      AND (looked_up_at IS NULL OR looked_up_at <= now() - $4 * interval '1 millisecond')
    FOR UPDATE
  ) turn
  WHERE calls.id = turn.id
  RETURNING calls.payment, calls.offer, calls.record, calls.created_at, turn.is_due, turn.pause_ms`;

/**
 * pending -> settled when the chain shows the transfer, whoever sent it; pending -> unpaid when the payment expired
 * unused. A payment that is neither is sent again when its turn comes: it can move money once at the most. Anybody may call
 * it at any time; it paces itself.
 */
export async function resolvePending(deps: ResolveDeps, callId: string): Promise<void> {
  const found = await deps.database.system.query<PendingRow>({
    name: 'calls_take_turn',
    text: takeTurn,
    values: [callId, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, LOOK_EVERY_MS],
  });
  const row = found.rows[0];
  if (!row) {
    return;
  }
  const offer = fromStoredOffer(row.offer);
  const payment = fromStoredPayment(row.payment);
  const settlement = await lookupSettlement(deps.payments, payment, { offer, since: row.created_at });
  if (settlement.status === 'settled') {
    await close(deps, callId, { row, transaction: settlement.transaction });
  } else if (settlement.status === 'expired') {
    await closeUnpaid(deps, { callId, name: 'expire' }, settlement.reason);
  } else if (settlement.status === 'unused' && row.is_due) {
    await sendAgain(deps, callId, { row, payment, offer });
  }
}

/** Counts the transactions that a settlement has cost in vain. */
export async function noteReverted(deps: Pick<GatewayDeps, 'database'>, callId: string, count: number): Promise<void> {
  if (count > 0) {
    await deps.database.system.query('UPDATE calls SET settle_attempts = settle_attempts + $2 WHERE id = $1', [
      callId,
      count,
    ]);
  }
}

/**
 * An answer that is still to come has as long as its run would have had without the wait. What is paid before it runs is
 * not running yet: it is owed at once, and so begun.
 */
async function close(
  deps: ResolveDeps,
  callId: string,
  found: { row: PendingRow; transaction: string },
): Promise<void> {
  const { row, transaction } = found;
  const { timeoutSeconds } = JSON.parse(row.record) as StoredRecord;
  const runEndsAt = row.created_at.getTime() + timeoutSeconds * 1000 + RUN_MARGIN_MS;
  const runLeftMs = row.offer.paymentFlow === 'upfront' ? 0 : Math.max(0, runEndsAt - deps.clock.now());
  await closeSettled(deps, { callId, by: 'find', transaction, runLeftMs });
}

async function sendAgain(
  deps: ResolveDeps,
  callId: string,
  sent: { row: PendingRow; payment: Payment; offer: Offer },
): Promise<void> {
  const { row, payment, offer } = sent;
  const mayTakeMs = deps.payments.settleLimitMs + SEND_MARGIN_MS;
  const claimed = await deps.database.system.query(
    `UPDATE calls SET deadline = now() + $2 * interval '1 millisecond'
     WHERE id = $1 AND state = 'pending' AND settle_attempts < $3`,
    [callId, mayTakeMs, MAX_SETTLE_ATTEMPTS],
  );
  if (claimed.rowCount === 0) {
    return;
  }
  const result = await settlePayment(deps.payments, payment, offer);
  if (result.status === 'settled') {
    await close(deps, callId, { row, transaction: result.transaction });
    return;
  }
  await noteReverted(deps, callId, result.reverted ?? 0);
  await deps.database.system.query(
    `UPDATE calls SET deadline = now() + $2 * interval '1 millisecond' WHERE id = $1 AND state = 'pending'`,
    [callId, row.pause_ms],
  );
}
