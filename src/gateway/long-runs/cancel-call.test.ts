import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newId, systemClock } from '#kit/index.ts';
import { publishedVersion } from '../../../tests/support/execution-deps.ts';
import { insertCall } from '../../../tests/support/insert-call.ts';
import { makeAccount, makeOffer, pay, schemeList } from '../../../tests/support/pay.ts';
import { quietLog } from '../../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../../tests/support/test-database.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { moveToSettling, transition } from '../transitions.ts';
import { cancelCall } from './cancel-call.ts';

const database = useTestDatabase();
const offer = makeOffer();

function depsOf(processId: string): GatewayDeps {
  return {
    database: database.current,
    longRuns: new Map(),
    clock: systemClock,
    log: quietLog,
    kinds: new Map(),
    payments: { ...schemeList, chains: new Map(), log: quietLog },
    processId,
    published: { findVersion: async () => publishedVersion() },
    publicUrl: 'https://farebox.test',
  } as unknown as GatewayDeps;
}

/** A call behind its 202, which this process runs. */
async function makeRunning(processId: string): Promise<string> {
  const callId = await insertCall(database.current, {
    state: 'running',
    payment: await pay(makeAccount(), offer),
    offer,
  });
  const { system } = database.current;
  await system.query(
    `UPDATE calls SET process_id = $2, runs_long = true, answer = NULL, transaction = NULL, settled_at = NULL WHERE id = $1`,
    [callId, processId],
  );
  await system.query(
    `INSERT INTO long_calls (call_id, resource, is_pinned, token_digest) VALUES ($1, 'r', false, 'd')`,
    [callId],
  );
  return callId;
}

const stored = { deadlineInMs: 1000, record: {}, answer: {} };
const steps = ['cancel', 'cancel', 'settle', 'settle of another process', 'fail', 'take over'] as const;

test('whatever happens at once, a call is either cancelled and goes to no settler, or is settled and not cancelled', async () => {
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([...steps], { minLength: 2 }), async (asked) => {
      const [ours, others] = [newId(), newId()];
      const callId = await makeRunning(ours);
      const { system } = database.current;
      const settle = (ofProcess: string) =>
        moveToSettling(system, { callId, settlementPoint: 'on_success' }, { ...stored, ofProcess });
      const carryOut: Record<(typeof steps)[number], () => Promise<boolean>> = {
        cancel: async () => (await cancelCall(depsOf(newId()), callId)).kind === 'accepted',
        settle: () => settle(ours),
        'settle of another process': () => settle(others),
        fail: () => transition(system, { callId, name: 'fail' }, { reason: 'upstream_failed', ofProcess: ours }),
        'take over': async () => {
          const text = `UPDATE calls SET process_id = $2 WHERE id = $1 AND state = 'running' AND process_id = $3`;
          return (await system.query(text, [callId, others, ours])).rowCount === 1;
        },
      };
      const done = await Promise.all(asked.map(async (step) => ({ step, isDone: await carryOut[step]() })));
      const count = (name: string): number => done.filter(({ step, isDone }) => step.startsWith(name) && isDone).length;
      const { rows } = await system.query<{ state: string; is_cancelled: boolean }>(
        `SELECT state, cancelled_at IS NOT NULL AS is_cancelled FROM calls JOIN long_calls ON call_id = id WHERE id = $1`,
        [callId],
      );
      const isCancelled = count('cancel') > 0;
      expect(count('settle') + count('fail') + Number(isCancelled)).toBeLessThanOrEqual(1);
      expect(rows[0]?.is_cancelled).toBe(isCancelled);
      expect(rows[0]?.state).toBe(
        count('settle') > 0 ? 'settling' : isCancelled || count('fail') > 0 ? 'failed' : 'running',
      );
    }),
    { numRuns: 60 },
  );
});
