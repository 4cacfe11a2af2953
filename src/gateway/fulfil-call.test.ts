import { beforeEach, expect, test } from 'vitest';
import { newId, systemClock } from '#kit/index.ts';
import { jsonAnswer, noEvidence, type Failure, type Outcome, type ResourceKind } from '#resources/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { insertCall } from '../../tests/support/insert-call.ts';
import { makeAccount, makeOffer, pay } from '../../tests/support/pay.ts';
import { quietLog } from '../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import type { PaidCall } from './call-record.ts';
import { fulfilCall, withholdOutput } from './fulfil-call.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { settlementPending } from './public-problem.ts';
import type { Output } from './run-call.ts';
import { transition } from './transitions.ts';

const database = useTestDatabase();
const offer = makeOffer();
const paid = { receipt: {}, settlement: {} } as Parameters<typeof fulfilCall>[2];
const failed: Failure = { ok: false, problem: 'upstream_failed', cause: 'toy_failed: as told', evidence: noEvidence };
const answered: Outcome = { ok: true, answer: jsonAnswer({ response: 'whole' }), evidence: noEvidence };
/** In the order in which they began. */
let runs: PromiseWithResolvers<Outcome>[] = [];

beforeEach(() => {
  runs = [];
});

const kind = {
  name: 'openrouter_instant',
  evidenceSchema: { safeParse: () => ({ success: true, data: {} }) },
  run: () => {
    const run = Promise.withResolvers<Outcome>();
    runs.push(run);
    return run.promise;
  },
} as unknown as ResourceKind;

function deps(): GatewayDeps {
  const own = {
    kinds: new Map([[kind.name, kind]]),
    inFlight: new Map(),
    longRuns: new Map(),
    clock: systemClock,
    log: quietLog,
  };
  return { ...own, database: database.current, publicUrl: 'https://farebox.test' } as unknown as GatewayDeps;
}

/** A call that is paid and whose answer is to be made, as its row and as its process holds it. */
async function makeCall(state: 'fulfilling' | 'pending'): Promise<PaidCall> {
  const payment = await pay(makeAccount(), offer);
  const callId = await insertCall(database.current, { state, payment, offer });
  const record = { ...makeRecord({ callId, status: 'success' }), amountAtomic: '10000' };
  await database.current.system.query(
    `UPDATE calls SET runs = $3, input = '{}', answer = NULL, record = $2 WHERE id = $1`,
    [callId, JSON.stringify({ record, receipt: {}, timeoutSeconds: 60 }), state === 'fulfilling' ? 1 : 0],
  );
  return {
    callId,
    requestId: 'r',
    clientAddress: 'unknown',
    version: publishedVersion(),
    payment,
    offer,
    settlementPoint: 'upfront',
    offeredAt: new Date(0),
    fingerprint: 'f',
    input: {},
    run: 1,
    startedAt: systemClock.now(),
  };
}

async function readCall({ callId }: PaidCall) {
  const { rows } = await database.current.system.query<{ state: string; has_answer: boolean; cause: string | null }>(
    `SELECT state, answer IS NOT NULL AS has_answer,
            (SELECT cause FROM x402_prompt_template_usage_logs u WHERE u.call_id = c.id) AS cause
     FROM calls c WHERE id = $1`,
    [callId],
  );
  return rows[0];
}

const move = ({ callId }: PaidCall, name: Parameters<typeof transition>[1]['name']) =>
  transition(database.current.system, { callId, name }, { processId: newId(), transaction: '0x1' });

test('a run that was given up and fails late does not end the run that took its place', async () => {
  const call = await makeCall('fulfilling');
  const first = fulfilCall(deps(), call, paid);
  await expect.poll(() => runs.length).toBe(1);
  expect(await move(call, 'owe')).toBe(true);
  expect(await move(call, 'rerun')).toBe(true);
  const second = fulfilCall(deps(), { ...call, run: 2 }, paid);
  await expect.poll(() => runs.length).toBe(2);
  runs[0]?.resolve(failed);
  expect(await first).toMatchObject({ kind: 'problem', charged: true });
  expect(await readCall(call)).toMatchObject({ state: 'fulfilling' });
  runs[1]?.resolve(answered);
  expect(await second).toMatchObject({ kind: 'answer' });
  expect(await readCall(call)).toMatchObject({ state: 'settled', has_answer: true });
});

test('a run that was given up and succeeds late is the answer, and the run that took its place is not needed', async () => {
  const call = await makeCall('fulfilling');
  const first = fulfilCall(deps(), call, paid);
  await expect.poll(() => runs.length).toBe(1);
  expect([await move(call, 'owe'), await move(call, 'rerun')]).toEqual([true, true]);
  runs[0]?.resolve(answered);
  expect(await first).toMatchObject({ kind: 'answer' });
  expect(await readCall(call)).toMatchObject({ state: 'settled', has_answer: true });
});

test('a withheld answer that fails after its payment was found is owed at once, and its creator reads why', async () => {
  const call = await makeCall('pending');
  const rest = Promise.withResolvers<Failure>();
  const given = deps();
  async function* parts() {
    yield { type: 'delta' as const, text: 'half' };
    return await rest.promise;
  }
  const answer = { ...jsonAnswer({}), body: { type: 'parts' as const, parts: parts() } };
  const output: Output = { ok: true, answer, evidence: noEvidence };
  withholdOutput(given, call, { output, isPending: true, outcome: settlementPending(), cancel: () => {} });
  expect(await move(call, 'findEarly')).toBe(true);
  rest.resolve(failed);
  await given.inFlight.get(call.callId);
  expect(await readCall(call)).toEqual({ state: 'owed', has_answer: false, cause: 'toy_failed: as told' });
});
