import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import type { SettlementPoint } from '#resources/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import {
  moveToSettling,
  settlementPaths,
  states,
  transition,
  transitionAll,
  transitionReturning,
  transitions,
  type State,
  type TransitionName,
} from './transitions.ts';

const database = useTestDatabase();
const names = Object.keys(transitions) as TransitionName[];

interface Holds {
  answer: boolean;
  input: boolean;
}

async function insertCall(
  state: State,
  { uniquenessKey = newId(), holds = { answer: true, input: true } } = {},
): Promise<string> {
  const id = newId();
  await database.current.system.query(
    `INSERT INTO calls (id, owner_id, resource_id, version_id, request_id, process_id, state, network, asset, payer,
                        uniqueness_key, amount_atomic, fingerprint, payment, offer, expires_at, deadline, transaction,
                        answer, input)
     VALUES ($1, 'o', $1, $1, 'r', $1, $2, 'n', 'a', 'p', $3, 1, 'f', '{}', '{}', now(), now(), '0x1', $4, $5)`,
    [id, state, uniquenessKey, holds.answer ? '{}' : null, holds.input ? '{}' : null],
  );
  return id;
}

async function readState(id: string): Promise<unknown> {
  const { rows } = await database.current.system.query('SELECT state FROM calls WHERE id = $1', [id]);
  return rows[0]?.state;
}

/** What the row of a call holds after an arrow: the input goes when there is nothing to run any more. */
function after(to: State, holds: Holds): Holds {
  const isForgotten = ['settled', 'unpaid', 'failed', 'refused', 'refunded'].includes(to);
  return { ...holds, input: holds.input && !isForgotten };
}

function mayMove(name: TransitionName, state: State, holds: Holds): boolean {
  const arrow: { from: State; needs?: string } = transitions[name];
  const isMet =
    { answer: holds.answer, 'no answer': !holds.answer, input: holds.input, 'no input': !holds.input }[
      arrow.needs ?? ''
    ] ?? true;
  return arrow.from === state && isMet;
}

test('a call moves exactly where the table says, from every state, by what its row holds', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...states),
      fc.record({ answer: fc.boolean(), input: fc.boolean() }),
      fc.array(fc.constantFrom(...names), { maxLength: 8 }),
      async (start, stored, walk) => {
        const id = await insertCall(start, { holds: stored });
        let [expected, holds]: [State, Holds] = [start, stored];
        for (const name of walk) {
          const may = mayMove(name, expected, holds);
          expect(await transition(database.current.system, { callId: id, name })).toBe(may);
          [expected, holds] = may ? [transitions[name].to, after(transitions[name].to, holds)] : [expected, holds];
          expect(await readState(id)).toBe(expected);
        }
      },
    ),
    { numRuns: 100 },
  );
});

test('of many that move the same call at once, one wins', async () => {
  for (const state of ['claimed', 'running', 'settling', 'pending', 'fulfilling', 'settled', 'owed'] as const) {
    const id = await insertCall(state);
    const moves = names.filter((name) => mayMove(name, state, { answer: true, input: true }));
    const racing = Array.from({ length: 12 }, (_, index) => moves[index % moves.length] ?? 'run');
    const won = await Promise.all(racing.map((name) => transition(database.current.system, { callId: id, name })));
    expect(won.filter(Boolean)).toHaveLength(1);
  }
});

test('many calls move together only from where the arrow begins, and what is owed in part stays so', async () => {
  const both = [true, false].flatMap((input) => states.map((state) => ({ state, holds: { answer: true, input } })));
  const calls = await Promise.all(
    both.map(async ({ state, holds }) => ({ state, holds, id: await insertCall(state, { holds }) })),
  );
  const callIds = calls.map(({ id }) => id);
  for (const name of ['deliver', 'redeliver'] as const) {
    const { to } = transitions[name];
    const before = new Map(await Promise.all(callIds.map(async (id) => [id, await readState(id)] as const)));
    const movable = calls.filter(({ id, holds }) => mayMove(name, before.get(id) as State, holds)).map(({ id }) => id);
    const moved = await transitionAll(database.current.system, { callIds, name });
    expect(moved.toSorted()).toEqual(movable.toSorted());
    for (const id of callIds) {
      expect(await readState(id)).toBe(movable.includes(id) ? to : before.get(id));
    }
  }
});

test('a move tells what the row holds then, and nothing when it was not made', async () => {
  const id = await insertCall('settling');
  const confirm = () =>
    transitionReturning<{ state: string; transaction: string }>(
      database.current.system,
      { callId: id, name: 'confirm' },
      { transaction: '0x2', columns: 'state, transaction' },
    );
  expect(await confirm()).toEqual({ state: 'settled', transaction: '0x2' });
  expect(await confirm()).toBeNull();
});

test('moves along one arrow may ask for other columns one after the other on the same connection', async () => {
  await database.current.transaction(async (tx) => {
    for (const columns of ['id', 'id, runs', 'id']) {
      const move = { callId: await insertCall('fulfilling'), name: 'fulfil' } as const;
      expect(await transitionReturning(tx, move, { columns })).toMatchObject({ id: move.callId });
    }
  });
});

test('a payment is held by one call, until a call that charged nothing releases it', async () => {
  for (const state of states) {
    const uniquenessKey = newId();
    await insertCall(state, { uniquenessKey });
    const second = await insertCall('claimed', { uniquenessKey }).then(() => 'taken', String);
    expect(second).toMatch(['refused', 'failed'].includes(state) ? /^taken$/ : /calls_claim/);
  }
});

test('every open state leads to an end, and from an end only the transfer on the chain leads on: to what is owed', () => {
  const unpaid: readonly State[] = ['refused', 'failed', 'unpaid'];
  const ends: ReadonlySet<State> = new Set([...unpaid, 'delivered', 'refunded']);
  const reaches = (state: State, seen: readonly State[] = []): boolean =>
    ends.has(state) ||
    Object.values(transitions).some(
      ({ from, to }) => from === state && !seen.includes(to) && reaches(to, [...seen, to]),
    );
  expect(states.filter((state) => !reaches(state))).toEqual([]);
  const further = Object.values(transitions).filter(({ from }) => ends.has(from));
  expect(further.map(({ from, to }) => [from, to])).toEqual(unpaid.map((from) => [from, 'owed']));
});

/** From here on money may have moved. */
const charged: ReadonlySet<State> = new Set([
  'settling',
  'pending',
  'fulfilling',
  'settled',
  'owed',
  'delivered',
  'refunded',
  'unpaid',
]);
/** In these it has. */
const paid: readonly State[] = ['fulfilling', 'settled', 'owed', 'delivered', 'refunded'];

describe.each(Object.keys(settlementPaths) as SettlementPoint[])('the settlement point %s', (point) => {
  const path = settlementPaths[point];

  test('leads from the claim to the delivery along arrows of the table', () => {
    const reached = path.arrows.reduce<State>((state, name) => {
      expect(transitions[name].from).toBe(state);
      return transitions[name].to;
    }, 'claimed');
    expect(reached).toBe('delivered');
    expect(path.arrows).toContain(path.chargedBy);
    expect(transitions[path.chargedBy].to).toBe('settling');
  });

  test('moves no money before the row holds what another process needs to finish the call', async () => {
    const from = transitions[path.chargedBy].from;
    await fc.assert(
      fc.asyncProperty(fc.subarray(['record', 'answer', 'input'] as const), async (given) => {
        const callId = await insertCall(from, { holds: { answer: false, input: false } });
        const stored = { deadlineInMs: 1, ...Object.fromEntries(given.map((name) => [name, { name }])) };
        const moved = await moveToSettling(
          database.current.system,
          { callId, settlementPoint: point },
          stored as Parameters<typeof moveToSettling>[2],
        ).catch(() => 'refused');
        const isEnough = path.storedBefore.every((name) => given.includes(name));
        expect(moved).toBe(isEnough ? true : 'refused');
        expect(await readState(callId)).toBe(isEnough ? 'settling' : from);
      }),
      { numRuns: 16 },
    );
  });
});

test('a paid call ends delivered or refunded, and nothing leads from it to a state that says it was not charged', () => {
  const next = (state: State): State[] =>
    Object.values(transitions).flatMap(({ from, to }) => (from === state ? [to] : []));
  for (const state of paid) {
    expect(next(state).filter((to) => !paid.includes(to))).toEqual([]);
  }
  const ends = paid.filter((state) => next(state).length === 0);
  expect(ends).toEqual(['delivered', 'refunded']);
  const before = new Set(states.filter((state) => !charged.has(state)));
  expect(Object.values(transitions).filter(({ from, to }) => charged.has(from) && before.has(to))).toEqual([]);
});

test('ARCHITECTURE.md prints this table', async () => {
  const text = await readFile(join(import.meta.dirname, '../../ARCHITECTURE.md'), 'utf8');
  const rows = Object.values(transitions).map(({ from, when, to }) => `| ${from} | ${when} | ${to} |`);
  expect(rows.filter((row) => !text.includes(row))).toEqual([]);
});
