import type { Pool, PoolClient } from 'pg';

/** The states of a call; refused and failed ones no longer hold the payment. */
export const states = [
  'claimed',
  'refused',
  'running',
  'failed',
  'settling',
  'pending',
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
}

/** The only ways a call changes (architecture, section 5). Each is one guarded UPDATE; what is not here cannot happen. */
export const transitions = {
  refuse: { from: 'claimed', to: 'refused', when: 'payment refused' },
  run: { from: 'claimed', to: 'running', when: 'verified' },
  fail: { from: 'running', to: 'failed', when: 'failed: not charged, claim released' },
  settle: { from: 'running', to: 'settling', when: 'usable output, answer stored' },
  confirm: { from: 'settling', to: 'settled', when: 'settled' },
  deny: { from: 'settling', to: 'unpaid', when: 'refused: answer withheld' },
  doubt: { from: 'settling', to: 'pending', when: 'no answer' },
  find: { from: 'pending', to: 'settled', when: 'the chain shows the transfer, by whomever it was sent' },
  expire: { from: 'pending', to: 'unpaid', when: 'authorisation expired unused' },
  deliver: { from: 'settled', to: 'delivered', when: 'answered' },
  lose: { from: 'settled', to: 'owed', when: 'lost: crash, dead connection' },
  redeliver: { from: 'owed', to: 'delivered', when: 'answered again' },
  refund: { from: 'owed', to: 'refunded', when: 'refunded' },
} as const satisfies Record<string, Transition>;

export type TransitionName = keyof typeof transitions;

/** What a transition may write beside the state. Times are relative: the database's clock is the only one. */
export interface Changes {
  deadlineInMs?: number;
  answer?: unknown;
  record?: unknown;
  transaction?: string;
  reason?: string;
}

const statement = `
  UPDATE calls SET
    state = $3,
    updated_at = now(),
    deadline = CASE WHEN $4::double precision IS NULL THEN deadline ELSE now() + $4 * interval '1 millisecond' END,
    answer = coalesce($5, answer),
    record = coalesce($6, record),
    transaction = coalesce($7, transaction),
    reason = coalesce($8, reason),
    settled_at = CASE WHEN $3 = 'settled' THEN now() ELSE settled_at END
  WHERE id = $1 AND state = $2`;

/**
 * Moves one call along one arrow. `false` means that the call no longer stood at its beginning: somebody else (the
 * reconciler, another process) has moved it, and the caller must not go on as if it held the call.
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

const moveAll = `
  UPDATE calls SET state = $3, updated_at = now() WHERE id = ANY($1::uuid[]) AND state = $2 RETURNING id`;

/** The same arrow for many calls in one statement, without other changes. Returns the ids of those that were moved. */
export async function transitionAll(
  executor: Pool | PoolClient,
  move: { callIds: readonly string[]; name: TransitionName },
): Promise<string[]> {
  const { from, to } = transitions[move.name];
  // In the order of the ids, so that two processes that move the same calls never wait for each other in a circle.
  const values = [move.callIds.toSorted(), from, to];
  const moved = await executor.query<{ id: string }>({ name: 'calls_transition_all', text: moveAll, values });
  return moved.rows.map(({ id }) => id);
}

function toValues(move: { callId: string; name: TransitionName }, changes: Changes): unknown[] {
  const { from, to } = transitions[move.name];
  return [
    move.callId,
    from,
    to,
    changes.deadlineInMs ?? null,
    toText(changes.answer),
    toText(changes.record),
    changes.transaction ?? null,
    changes.reason ?? null,
  ];
}

function toText(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
