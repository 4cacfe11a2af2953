import { Big } from 'big.js';
import type { Tx } from '#database/index.ts';
import { noEvidence, type Evidence, type JsonObject } from '#resources/index.ts';
import { recordCall } from '#usage/index.ts';
import { abandonCall } from '../abandon-call.ts';
import type { CallOutcome } from '../call-request.ts';
import { toLogged, type PaidCall, type StoredRecord } from '../call-record.ts';
import { DELIVERY_DEADLINE_MS } from '../close-settled.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { cannotProduce, isGivenUp } from '../give-up-owed.ts';
import { keepProgress } from '../long-runs/open-long-run.ts';
import { answerOwed, settlementPending } from '../public-problem.ts';
import { quoteWorstOfItems } from '../quote-worst.ts';
import type { Paid } from '../settle-call.ts';
import { toGivenAnswer, toStoredAnswer, type StoredAnswer } from '../stored-answer.ts';
import { transitionReturning } from '../transitions.ts';
import { toBatchAnswer } from './batch-answer.ts';
import { toCommonProblem, toProgress } from './batch-item.ts';
import { countUnanswered, forgetItems, listItems, noteLogged, type ItemRow } from './batch-rows.ts';
import { runBatch } from './run-batch.ts';

/**
 * A paid batch: fulfilling -> settled once every input has its answer. Where some have failed it is owed, with what there
 * is as its answer: the same payment has those run again. Where all have failed it is owed like any call.
 */
export async function fulfilBatch(deps: GatewayDeps, call: PaidCall, paid: Paid): Promise<CallOutcome> {
  try {
    await runBatch(deps, call, call.version.batchOf ?? call.version);
    return await closeBatch(deps, call, paid);
  } catch (error) {
    return abandonCall(deps, call, error);
  }
}

async function closeBatch(deps: GatewayDeps, call: PaidCall, paid: Paid): Promise<CallOutcome> {
  const { callId } = call;
  const rows = await listItems(deps.database.system, callId);
  const failed = rows.filter(({ state }) => state !== 'succeeded');
  const evidence = toEvidence(rows);
  const stored = failed.length < rows.length ? toStoredAnswer(toBatchAnswer(rows), evidence) : null;
  const closed = { stored, failed, evidence };
  const isWhole = stored !== null && failed.length === 0;
  const costUsd = isWhole ? null : await toLostCost(deps, call, evidence);
  const ended = await deps.database.transaction(async (tx) => {
    const total = rows.length;
    await keepProgress(tx, callId, toProgress({ total, ended: total, failed: failed.length }));
    return isWhole ? fulfil(deps, tx, { call, ...closed }) : owe(deps, tx, { call, ...closed, costUsd });
  });
  if (ended === null) {
    return settlementPending();
  }
  if (stored !== null) {
    const answer = toGivenAnswer(stored, paid.receipt);
    return { kind: 'answer', answer, callId, isPaid: true, settlement: paid.settlement };
  }
  return ended.isGivenUp ? cannotProduce(ended.reason, ended.transaction) : answerOwed();
}

interface Closed {
  call: PaidCall;
  stored: StoredAnswer | null;
  failed: readonly ItemRow[];
  evidence: Evidence;
}

interface Row {
  record: string;
  transaction: string;
  charged: string;
  is_given_up: boolean;
}

interface EndedBatch {
  isGivenUp: boolean;
  reason: string;
  transaction: string;
}

const columns = `record, transaction, offer->>'amountAtomic' AS charged, ${isGivenUp} AS is_given_up`;

async function fulfil(deps: GatewayDeps, tx: Tx, { call, stored, evidence }: Closed): Promise<EndedBatch | null> {
  const { callId, run, reservedUsd } = call;
  const row = await transitionReturning<Row>(
    tx,
    { callId, name: 'fulfil' },
    { answer: stored, deadlineInMs: DELIVERY_DEADLINE_MS, reservedUsd, ofRun: run, ofProcess: deps.processId, columns },
  );
  if (!row) {
    return null;
  }
  await recordCall(tx, toRecord(deps, row, evidence));
  await forgetItems(tx, callId);
  return { isGivenUp: false, reason: '', transaction: row.transaction };
}

async function owe(
  deps: GatewayDeps,
  tx: Tx,
  { call, stored, failed, evidence, costUsd }: Closed & { costUsd: string | null },
): Promise<EndedBatch | null> {
  const { callId, run, reservedUsd } = call;
  const reason = toCommonProblem(failed.flatMap(({ problem }) => (problem === null ? [] : [problem])));
  const answer = stored === null ? {} : { answer: stored };
  const row = await transitionReturning<Row>(
    tx,
    { callId, name: 'owe' },
    { ...answer, reason, costUsd, reservedUsd, ofRun: run, ofProcess: deps.processId, columns },
  );
  if (!row) {
    return null;
  }
  const cause = `batch_failed: ${failed.length} inputs have no answer; the first of them: ${failed[0]?.cause ?? reason}`;
  await recordCall(tx, { ...toRecord(deps, row, evidence), status: 'owed', problem: reason, cause });
  await noteLogged(tx, callId);
  return { isGivenUp: row.is_given_up, reason, transaction: row.transaction };
}

/** What nobody knows the cost of counts at its worst. */
async function toLostCost(deps: GatewayDeps, { callId, version, reservedUsd }: PaidCall, { costUsd }: Evidence) {
  const count = await countUnanswered(deps.database.system, callId);
  return costUsd ?? reservedUsd ?? quoteWorstOfItems(deps, version.batchOf ?? version, count);
}

function toRecord(deps: GatewayDeps, row: Row, evidence: Evidence) {
  const { record } = JSON.parse(row.record) as StoredRecord;
  return {
    ...record,
    ...toLogged(evidence),
    // How long many took tells nothing of how long one takes.
    latencyMs: null,
    amountAtomic: BigInt(row.charged),
    transaction: row.transaction,
    at: new Date(deps.clock.now()),
  };
}

/** Of all attempts that the log does not hold yet: what they have cost together, and what the last of them tell. */
function toEvidence(rows: readonly ItemRow[]): Evidence {
  const told = rows.flatMap(({ evidence }) => (evidence ? [JSON.parse(evidence) as Evidence] : []));
  const costs = rows.flatMap(({ cost_usd: usd }) => (usd === null ? [] : [usd]));
  const source = told.find(({ keySource }) => keySource !== undefined)?.keySource;
  return {
    ...noEvidence,
    attempts: rows.reduce((sum, { asked }) => sum + asked, 0),
    costUsd: costs.length === 0 ? null : costs.reduce((sum, usd) => sum.plus(usd), new Big(0)).toFixed(),
    ...(source === undefined ? {} : { keySource: source }),
    isSimulated: told.some(({ isSimulated }) => isSimulated),
    own: toOwn(rows, told),
  };
}

/** The words in which the log knows what the kinds tell; tokens are of all items together. */
function toOwn(rows: readonly ItemRow[], told: readonly Evidence[]): JsonObject {
  const last = told.at(-1)?.own ?? {};
  const names = ['model', 'modelId', 'provider'].filter((name) => Object.hasOwn(last, name));
  const tokens = ['inputTokens', 'outputTokens'].flatMap((name): [string, number][] => {
    const counts = told.map(({ own }) => own[name]).filter((count) => typeof count === 'number');
    return counts.length === 0 ? [] : [[name, counts.reduce((sum, count) => sum + count, 0)]];
  });
  const items = rows.length;
  const succeeded = rows.filter(({ state }) => state === 'succeeded').length;
  return {
    ...Object.fromEntries(names.map((name) => [name, last[name] ?? null])),
    ...Object.fromEntries(tokens),
    items,
    succeeded,
  };
}
