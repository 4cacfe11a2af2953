import type { Pool, PoolClient } from 'pg';
import type { SettlementPoint } from '#resources/index.ts';
import { LONG_RETENTION_SECONDS } from './long-runs/retention.ts';

/** The states of a call; refused and failed ones no longer hold the payment. */
export const states = [
  'claimed',
  'refused',
  'running',
  'failed',
  'settling',
  'pending',
  'fulfilling',
  'settled',
  'unpaid',
  'delivered',
  'owed',
  'refunded',
] as const;

export type State = (typeof states)[number];

interface Transition {
  from: State;
  to: State;
  when: string;
  /** What the row has to hold, or not, besides standing at the beginning of the arrow. */
  needs?: 'answer' | 'no answer' | 'input' | 'no input';
}

/** The only ways a call changes, printed in ARCHITECTURE.md. Each is one guarded UPDATE; what is not here cannot happen. */
export const transitions = {
  refuse: { from: 'claimed', to: 'refused', when: 'payment refused, or a file of the input' },
  run: { from: 'claimed', to: 'running', when: 'verified' },
  charge: { from: 'claimed', to: 'settling', when: 'verified, to be paid before it runs: input stored' },
  adopt: {
    from: 'claimed',
    to: 'fulfilling',
    when: 'the chain shows the transfer, by whomever it was sent: input stored',
  },
  fail: { from: 'running', to: 'failed', when: 'failed: not charged, claim released' },
  oweRun: { from: 'running', to: 'owed', when: 'failed, and the chain shows the transfer: input stored' },
  settle: { from: 'running', to: 'settling', when: 'usable output: the answer stored, or its first part held' },
  confirm: { from: 'settling', to: 'settled', when: 'settled, answer stored', needs: 'answer' },
  confirmEarly: { from: 'settling', to: 'fulfilling', when: 'settled, answer still to come', needs: 'no answer' },
  deny: { from: 'settling', to: 'unpaid', when: 'refused: answer withheld' },
  doubt: { from: 'settling', to: 'pending', when: 'no answer' },
  find: {
    from: 'pending',
    to: 'settled',
    when: 'the chain shows the transfer, by whomever it was sent; answer stored',
    needs: 'answer',
  },
  findEarly: { from: 'pending', to: 'fulfilling', when: 'the same, answer still to come', needs: 'no answer' },
  expire: { from: 'pending', to: 'unpaid', when: 'authorisation expired unused' },
  fulfil: { from: 'fulfilling', to: 'settled', when: 'answer complete and stored' },
  owe: { from: 'fulfilling', to: 'owed', when: 'the run failed or was lost' },
  deliver: { from: 'settled', to: 'delivered', when: 'answered' },
  lose: { from: 'settled', to: 'owed', when: 'lost: crash, dead connection' },
  // What still holds its input is owed in part, and stays so when the rest has left.
  redeliver: { from: 'owed', to: 'delivered', when: 'answered again, the whole of it', needs: 'no input' },
  rerun: { from: 'owed', to: 'fulfilling', when: 'run again from the stored input, without a charge', needs: 'input' },
  oweRefused: { from: 'refused', to: 'owed', when: 'the chain shows the transfer after all' },
  oweFailed: { from: 'failed', to: 'owed', when: 'the chain shows the transfer after all' },
  oweUnpaid: { from: 'unpaid', to: 'owed', when: 'the chain shows the transfer after all' },
  refund: { from: 'owed', to: 'refunded', when: 'refunded' },
} as const satisfies Record<string, Transition>;

export type TransitionName = keyof typeof transitions;

interface Path {
  arrows: readonly TransitionName[];
  /** The arrow after which the settler is asked. */
  chargedBy: 'settle' | 'charge';
  /** What the row holds before that, so that any process can finish what the buyer has paid for. */
  storedBefore: readonly ('record' | 'answer' | 'input')[];
}

/** The way of a call without trouble, by the settlement point of its version. */
export const settlementPaths: Readonly<Record<SettlementPoint, Path>> = {
  on_success: {
    arrows: ['run', 'settle', 'confirm', 'deliver'],
    chargedBy: 'settle',
    storedBefore: ['record', 'answer'],
  },
  at_first_output: {
    arrows: ['run', 'settle', 'confirmEarly', 'fulfil', 'deliver'],
    chargedBy: 'settle',
    storedBefore: ['record', 'input'],
  },
  upfront: {
    arrows: ['charge', 'confirmEarly', 'fulfil', 'deliver'],
    chargedBy: 'charge',
    storedBefore: ['record', 'input'],
  },
};

/** With or without an exponent, as JSON writes numbers. */
const USD = /^\d{1,20}(\.\d{1,60})?(e[+-]?\d{1,2})?$/i;

/** What a transition may write beside the state. Times are relative: the database's clock is the only one. */
export interface Changes {
  deadlineInMs?: number;
  answer?: unknown;
  record?: unknown;
  input?: unknown;
  transaction?: string;
  reason?: string;
  /** What the run that ends here without an answer has cost its creator, in USD; `null` where nobody knows. */
  costUsd?: string | null;
  /** What a run that begins here may cost at most, or one that ends here was counted with, in USD. */
  reservedUsd?: string | undefined;
  /** Who carries the call on from here. */
  processId?: string;
  /** Only while this is the call's latest run. */
  ofRun?: number;
  /** Only while this process carries the call: another one may have taken it over. */
  ofProcess?: string;
}

/**
 * What the call counts with as lost or to be lost (docs/decisions/0023). What is paid counts no more; of a failed run
 * counts what it has cost, or else its worst. The first run of a paid call is what was paid for, also where it fails; each
 * further one counts with its worst while it runs and with its cost when it has failed. A further run begins to count when
 * one has cost something.
 */
const trustAfter = `CASE
    WHEN $3 = 'refused' OR ($2 = 'claimed' AND $3 = 'settling') THEN NULL
    WHEN $3 = 'failed' THEN nullif(coalesce($13::numeric, trust_usd), 0)
    WHEN $2 = 'owed' AND $3 = 'fulfilling' THEN trust_usd + coalesce($14::numeric, 0)
    WHEN $2 = 'fulfilling' THEN nullif(greatest(coalesce(trust_usd, 0) - coalesce($14::numeric, 0), 0) +
      CASE WHEN $3 = 'owed' AND runs > 1 THEN 
        coalesce($13::numeric, $14::numeric, CASE WHEN trust_usd IS NULL THEN amount_atomic / 1000000 ELSE 0 END) ELSE 0 END, 0)
    WHEN $3 IN ('settled', 'fulfilling', 'owed') AND settled_at IS NULL THEN NULL
    ELSE trust_usd END`;

/**
 * An answer that is fetched later may wait for as long as it is kept. A call is paid from its first paid state on. An input
 * is kept until its answer is; a run that failed counts as one. What is to be paid before it runs is not done on trust,
 * whatever its offer said. Whoever has paid is no newcomer any more.
 */
const statement = `
  UPDATE calls SET
    state = $3,
    updated_at = now(),
    deadline = CASE WHEN runs_long AND $3 = 'settled' THEN now() + interval '${LONG_RETENTION_SECONDS} seconds'
      WHEN $4::double precision IS NULL THEN deadline ELSE now() + $4 * interval '1 millisecond' END,
    answer = coalesce($5, answer),
    record = coalesce($6, record),
    input = CASE WHEN $3 IN ('settled', 'unpaid', 'failed', 'refused', 'refunded') THEN NULL ELSE coalesce($7, input) END,
    transaction = coalesce($8, transaction),
    reason = coalesce($9, reason),
    process_id = coalesce($10::uuid, process_id),
    runs = runs + ($3 = 'fulfilling' OR ($2 = 'running' AND $3 = 'owed'))::int,
    trust_usd = ${trustAfter},
    offer = CASE WHEN $2 = 'claimed' AND $3 = 'settling' THEN offer || '{"paymentFlow": "upfront"}' ELSE offer END,
    client = CASE WHEN $3 IN ('settled', 'fulfilling', 'owed') THEN NULL ELSE client END,
    settled_at = CASE WHEN $3 IN ('settled', 'fulfilling', 'owed') THEN coalesce(settled_at, now()) ELSE settled_at END
  WHERE id = $1 AND state = $2
    AND ${holds('$11')}
    AND ($12::int IS NULL OR runs = $12)
    AND ($15::uuid IS NULL OR process_id = $15)`;

/**
 * Moves one call along one arrow. `false` means that the call no longer stood at its beginning: another request, process
 * or the reconciler has moved it, and the caller must not go on as if it held the call.
 */
export async function transition(
  executor: Pool | PoolClient,
  move: { callId: string; name: TransitionName },
  changes: Changes = {},
): Promise<boolean> {
  const result = await executor.query({ name: 'calls_transition', text: statement, values: toValues(move, changes) });
  return result.rowCount === 1;
}

/** The same, with what the moved row holds then, so that it need not be asked for; `null` instead of `false`. */
export async function transitionReturning<Row extends object>(
  executor: Pool | PoolClient,
  move: { callId: string; name: TransitionName },
  given: Changes & { columns: string },
): Promise<Row | null> {
  const { columns, ...changes } = given;
  const text = `${statement} RETURNING ${columns}`;
  const result = await executor.query<Row>({ name: `calls_${move.name}`, text, values: toValues(move, changes) });
  return result.rows[0] ?? null;
}

/** What the settlement point of the call asks to be stored before money moves is stored, and then the settler is asked. */
export async function moveToSettling(
  executor: Pool | PoolClient,
  call: { callId: string; settlementPoint: SettlementPoint },
  stored: Required<Pick<Changes, 'deadlineInMs' | 'record'>> & Pick<Changes, 'answer' | 'input' | 'ofProcess'>,
): Promise<boolean> {
  const { chargedBy, storedBefore } = settlementPaths[call.settlementPoint];
  const missing = storedBefore.filter((name) => stored[name] === undefined);
  if (missing.length > 0) {
    throw new Error(`A call may not be settled before its ${missing.join(' and ')} can be stored.`);
  }
  return transition(executor, { callId: call.callId, name: chargedBy }, stored);
}

const moveAll = `
  UPDATE calls SET state = $3, updated_at = now() WHERE id = ANY($1::uuid[]) AND state = $2 AND ${holds('$4')} RETURNING id`;

/** One of the arrows of a delivery for many calls in one statement. Returns the ids of those that were moved. */
export async function transitionAll(
  executor: Pool | PoolClient,
  move: { callIds: readonly string[]; name: 'deliver' | 'redeliver' },
): Promise<string[]> {
  const { from, to, needs }: Transition = transitions[move.name];
  // In the order of the ids, so that two processes that move the same calls never wait for each other in a circle.
  const values = [move.callIds.toSorted(), from, to, needs ?? null];
  const moved = await executor.query<{ id: string }>({ name: 'calls_transition_all', text: moveAll, values });
  return moved.rows.map(({ id }) => id);
}

/** Condition on `calls`: the row holds what an arrow needs, which is the parameter. */
function holds(needed: '$4' | '$11'): string {
  return `CASE ${needed}::text WHEN 'answer' THEN answer IS NOT NULL WHEN 'no answer' THEN answer IS NULL
    WHEN 'input' THEN input IS NOT NULL WHEN 'no input' THEN input IS NULL ELSE true END`;
}

function toValues(move: { callId: string; name: TransitionName }, changes: Changes): unknown[] {
  const { from, to, needs }: Transition = transitions[move.name];
  return [
    move.callId,
    from,
    to,
    changes.deadlineInMs ?? null,
    toText(changes.answer),
    toText(changes.record),
    toText(changes.input),
    changes.transaction ?? null,
    changes.reason ?? null,
    changes.processId ?? null,
    needs ?? null,
    changes.ofRun ?? null,
    toUsd(changes.costUsd),
    toUsd(changes.reservedUsd),
    changes.ofProcess ?? null,
  ];
}

/** Costs come from upstreams; one that is no number is not known. */
function toUsd(value: string | null | undefined): string | null {
  return typeof value === 'string' && USD.test(value) ? value : null;
}

function toText(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
