import { expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { publishedVersion } from '../../../tests/support/execution-deps.ts';
import { insertCall } from '../../../tests/support/insert-call.ts';
import { quietLog } from '../../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../../tests/support/test-database.ts';
import type { CallOutcome } from '../call-request.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { releaseRun } from '../hold-run.ts';
import { forgetEnded } from '../keep-inputs.ts';
import type { PaidCall } from '../call-record.ts';
import { handOver } from './resume-runs.ts';

const database = useTestDatabase();
const version = publishedVersion({ parameters: [{ name: 'picture', type: 'image', description: '', required: true }] });
const uncharged = { kind: 'problem', charged: false } as unknown as CallOutcome;

test('a process that has handed a run over neither forgets its files nor releases what was set aside for it', async () => {
  const dropped: string[] = [];
  const deps = {
    database: database.current,
    processId: newId(),
    longRuns: new Map(),
    log: quietLog,
    inputs: { forget: async (callId: string) => void dropped.push(`files of ${callId}`) },
    kinds: new Map([[version.kind, { releaseRun: async (callId: string) => void dropped.push(`share of ${callId}`) }]]),
  } as unknown as GatewayDeps;
  const callId = await insertCall(database.current, { state: 'running' });
  await database.current.system.query('UPDATE calls SET process_id = $2, runs_long = true WHERE id = $1', [
    callId,
    deps.processId,
  ]);
  const call = { callId, version, isLong: true } as PaidCall;
  const end = async () => {
    await releaseRun(deps, call);
    await forgetEnded(deps, call, Promise.resolve(uncharged));
  };
  await end();
  expect(dropped.splice(0)).toEqual([`share of ${callId}`, `files of ${callId}`]);
  const running = new AbortController();
  deps.longRuns.set(callId, running);
  await handOver(deps);
  expect(running.signal.aborted).toBe(true);
  await end();
  expect(dropped).toEqual([]);
});
