import {
  fromStoredOffer,
  fromStoredPayment,
  isPaidBy,
  lookupSettlement,
  toStoredAddress,
  type Transfer,
} from '#payments/index.ts';
import { adoptTransfer } from './adopt-transfer.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { isOwnUse } from './own-use.ts';
import { callColumns, restoreCall, type CallRow } from './restore-call.ts';
import type { State } from './transitions.ts';

type AdoptDeps = Pick<GatewayDeps, 'database' | 'published' | 'payments' | 'kinds' | 'publicUrl' | 'clock' | 'log'>;

interface FoundRow extends CallRow {
  id: string;
  state: State;
  version_id: string;
  network: string;
  payer: string;
  uniqueness_key: string;
  /** What was signed is still there: without it nobody could prove to be the buyer. */
  is_signed: boolean;
}

const columns = `id, state, version_id, network, payer, uniqueness_key, payment ? 'payload' AS is_signed, ${callColumns}`;

/** One payment, in the words of the two indexes over calls that hold one and calls that have released theirs. */
const isOfPayment = `network = $1 AND asset = $4 AND payer = wanted.payer AND uniqueness_key = wanted.uniqueness_key`;

/** The call that holds a payment comes first; of those that have released it, the last. */
const selectByPayment = `
  SELECT found.* FROM unnest($2::text[], $3::text[]) AS wanted (payer, uniqueness_key)
  CROSS JOIN LATERAL (
    (SELECT ${columns}, created_at FROM calls WHERE ${isOfPayment} AND state NOT IN ('refused', 'failed'))
    UNION ALL
    (SELECT ${columns}, created_at FROM calls WHERE ${isOfPayment} AND state IN ('refused', 'failed')
     ORDER BY created_at DESC LIMIT 20)) AS found
  ORDER BY found.state IN ('refused', 'failed'), found.created_at DESC`;

/** A transfer that came late: these have told their buyers that they were not charged, or will not come back by themselves. */
const ended: ReadonlySet<State> = new Set(['refused', 'failed', 'unpaid']);
const paid: ReadonlySet<State> = new Set(['settled', 'delivered', 'owed', 'fulfilling', 'refunded']);

/**
 * Transfers that nobody has booked: a call that has ended without being paid is owed for its transfer; an open one finds
 * it by itself, because none ends without asking the chain. Returns the transfers that belong to a call of ours.
 */
export async function adoptTransfers(
  deps: AdoptDeps,
  network: string,
  transfers: readonly Transfer[],
): Promise<ReadonlySet<Transfer>> {
  const { rows } = await deps.database.system.query<FoundRow>(selectByPayment, [
    network,
    transfers.map(({ from }) => from),
    transfers.map(({ uniquenessKey }) => uniquenessKey),
    assetOf(deps, network),
  ]);
  const byPayment = Map.groupBy(rows, ({ payer, uniqueness_key }) => `${payer} ${uniqueness_key}`);
  const adopted = new Set<Transfer>();
  for (const transfer of transfers) {
    const row = byPayment.get(`${transfer.from} ${transfer.uniquenessKey}`)?.find((call) => fits(deps, call, transfer));
    if (row && (await isAdopted(deps, row, { network, transaction: transfer.transaction }))) {
      adopted.add(transfer);
    }
  }
  return adopted;
}

/** The same for one call and the transaction that the chain shows for its payment. */
export async function adoptEnded(deps: AdoptDeps, callId: string, transaction: string): Promise<boolean> {
  const { rows } = await deps.database.system.query<FoundRow>(`SELECT ${columns} FROM calls WHERE id = $1`, [callId]);
  const row = rows[0];
  return row !== undefined && ended.has(row.state) && isAdopted(deps, row, { network: row.network, transaction });
}

/**
 * The chain did not show the transfer of a call that is booked. It is looked up once more; where it is still missing the
 * call is marked, and stays as it is: its buyer has the answer, and somebody has to look into it.
 */
export async function recheckSettled(
  deps: Pick<GatewayDeps, 'database' | 'payments'>,
  callId: string,
): Promise<'shown' | 'missing' | 'unknown'> {
  const { rows } = await deps.database.system.query<CallRow & { created_at: Date }>(
    `SELECT ${callColumns}, created_at FROM calls WHERE id = $1`,
    [callId],
  );
  const row = rows[0];
  if (!row) {
    return 'missing';
  }
  const wanted = { offer: fromStoredOffer(row.offer), since: row.created_at };
  const found = await lookupSettlement(deps.payments, fromStoredPayment(row.payment), wanted);
  if (found.status === 'settled' || found.status === 'unknown') {
    return found.status === 'settled' ? 'shown' : 'unknown';
  }
  await deps.database.system.query(`UPDATE calls SET transfer_missing_at = now() WHERE id = $1`, [callId]);
  return 'missing';
}

function assetOf({ payments }: AdoptDeps, network: string): string | undefined {
  const chain = payments.chains.get(network);
  return chain && toStoredAddress(chain.network.asset.address);
}

function fits({ payments }: AdoptDeps, row: FoundRow, transfer: Transfer): boolean {
  const payment = fromStoredPayment(row.payment);
  // Booked already, for another transaction or amount: nothing to be mended here.
  return !paid.has(row.state) && isPaidBy(payments, transfer, { payment, offer: fromStoredOffer(row.offer) });
}

async function isAdopted(
  deps: AdoptDeps,
  row: FoundRow,
  { network, transaction }: { network: string; transaction: string },
): Promise<boolean> {
  if (!ended.has(row.state)) {
    return true;
  }
  if (row.state === 'unpaid') {
    return adopt(deps, row, transaction);
  }
  const version = await deps.published.findVersion(row.version_id);
  const at = await deps.payments.chains.get(network)?.findTime(transaction);
  const call = version && restoreCall(deps, { callId: row.id, version, row });
  const isOwn = call && typeof at === 'number' && (await isOwnUse(deps, call, at * 1000));
  return isOwn ? adopt(deps, row, transaction) : false;
}

async function adopt(deps: AdoptDeps, row: FoundRow, transaction: string): Promise<boolean> {
  const version = await deps.published.findVersion(row.version_id);
  if (!version || !row.is_signed) {
    return false;
  }
  const call = restoreCall(deps, { callId: row.id, version, row });
  const adopted = await adoptTransfer(deps, call, { from: row.state, transaction });
  deps.log.warn({ callId: row.id, transaction, from: row.state, adopted: adopted.kind }, 'a call was paid by others');
  return adopted.kind === 'paid';
}
