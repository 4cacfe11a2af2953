import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import {
  released,
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

async function insertCall(state: State, uniquenessKey: string = newId()): Promise<string> {
  const id = newId();
  await database.current.system.query(
    `INSERT INTO calls (id, owner_id, resource_id, version_id, request_id, process_id, state, network, asset, payer,
                        uniqueness_key, amount_atomic, fingerprint, payment, offer, expires_at, deadline, transaction)
     VALUES ($1, 'o', $1, $1, 'r', $1, $2, 'n', 'a', 'p', $3, 1, 'f', '{}', '{}', now(), now(), '0x1')`,
    [id, state, uniquenessKey],
  );
  return id;
}

async function readState(id: string): Promise<unknown> {
  const { rows } = await database.current.system.query('SELECT state FROM calls WHERE id = $1', [id]);
  return rows[0]?.state;
}

test('a call moves exactly where the table says, from every state', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...states),
      fc.array(fc.constantFrom(...names), { maxLength: 8 }),
      async (start, walk) => {
        const id = await insertCall(start);
        let expected: State = start;
        for (const name of walk) {
          const { from, to } = transitions[name];
          expect(await transition(database.current.system, { callId: id, name })).toBe(from === expected);
          expected = from === expected ? to : expected;
          expect(await readState(id)).toBe(expected);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('of many that move the same call at once, one wins', async () => {
  for (const state of ['claimed', 'running', 'settling', 'pending', 'settled', 'owed'] as const) {
    const id = await insertCall(state);
    const moves = names.filter((name) => transitions[name].from === state);
    const racing = Array.from({ length: 12 }, (_, index) => moves[index % moves.length] ?? 'run');
    const won = await Promise.all(racing.map((name) => transition(database.current.system, { callId: id, name })));
    expect(won.filter(Boolean)).toHaveLength(1);
  }
});

test('many calls move together only from where the arrow begins', async () => {
  const calls = await Promise.all(states.map(async (state) => ({ state, id: await insertCall(state) })));
  const callIds = calls.map(({ id }) => id);
  for (const name of names) {
    const { from, to } = transitions[name];
    const before = new Map(await Promise.all(callIds.map(async (id) => [id, await readState(id)] as const)));
    const movable = callIds.filter((id) => before.get(id) === from);
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

test('a payment is held by one call, until a call that charged nothing releases it', async () => {
  for (const state of states) {
    const uniquenessKey = newId();
    await insertCall(state, uniquenessKey);
    const second = await insertCall('claimed', uniquenessKey).then(() => 'taken', String);
    expect(second).toMatch(released.includes(state) ? /^taken$/ : /calls_claim/);
  }
});

test('no way leads back from an end, and every open state leads to one', () => {
  const ends: ReadonlySet<State> = new Set(['refused', 'failed', 'unpaid', 'delivered', 'refunded']);
  const reaches = (state: State, seen: readonly State[] = []): boolean =>
    ends.has(state) ||
    Object.values(transitions).some(
      ({ from, to }) => from === state && !seen.includes(to) && reaches(to, [...seen, to]),
    );
  expect(states.filter((state) => !reaches(state))).toEqual([]);
  expect(Object.values(transitions).filter(({ from }) => ends.has(from))).toEqual([]);
});

test('ARCHITECTURE.md prints this table', async () => {
  const text = await readFile(join(import.meta.dirname, '../../ARCHITECTURE.md'), 'utf8');
  const rows = Object.values(transitions).map(({ from, when, to }) => `| ${from} | ${when} | ${to} |`);
  expect(rows.filter((row) => !text.includes(row))).toEqual([]);
});
