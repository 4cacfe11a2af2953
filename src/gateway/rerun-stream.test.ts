import { expect, test } from 'vitest';
import { newId, systemClock } from '#kit/index.ts';
import { toStoredPayment } from '#payments/index.ts';
import { noEvidence, type AnswerPart, type Outcome, type PartsEnd, type ResourceKind } from '#resources/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { insertCall } from '../../tests/support/insert-call.ts';
import { makeAccount, makeOffer, pay, schemeList } from '../../tests/support/pay.ts';
import { quietLog } from '../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { withoutFiles } from '../../tests/support/without-files.ts';
import { answerHeld } from './answer-held.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { keepStreams } from './keep-streams.ts';

const database = useTestDatabase();

async function* toParts(): AsyncGenerator<AnswerPart, PartsEnd> {
  yield { type: 'delta', text: 'whole' };
  return { ok: true, evidence: noEvidence };
}

const kind = {
  name: 'openrouter_instant',
  evidenceSchema: { safeParse: () => ({ success: true, data: {} }) },
  run: async (): Promise<Outcome> => {
    const body = { type: 'parts' as const, parts: toParts() };
    const answer = { status: 200, contentType: 'application/json', headers: {}, body, media: [] };
    return { ok: true, answer, evidence: noEvidence };
  },
} as unknown as ResourceKind;

test('an owed stream whose new run is over before it is looked at has the places of that run', async () => {
  const offer = makeOffer();
  const payment = await pay(makeAccount(), offer);
  const callId = await insertCall(database.current, { state: 'owed', payment, offer, ageSeconds: 3_600 });
  const record = { ...makeRecord({ callId }), amountAtomic: '10000' };
  const stored = { record, receipt: {}, timeoutSeconds: 60, settlementPoint: 'at_first_output' };
  const owe = `UPDATE calls SET runs = 1, input = '{}', answer = NULL, record = $2 WHERE id = $1`;
  await database.current.system.query(owe, [callId, JSON.stringify(stored)]);
  const inFlight = new Map<string, Promise<unknown>>();
  const { system } = database.current;
  const query = async (asked: string | { name?: string }, values?: unknown[]) => {
    if (typeof asked !== 'string' && asked.name === 'calls_kept') {
      await Promise.all(inFlight.values());
    }
    return system.query(asked as string, values);
  };
  const deps = {
    kinds: new Map([[kind.name, kind]]),
    inFlight,
    longRuns: new Map(),
    clock: systemClock,
    log: quietLog,
    payments: schemeList,
    inputs: withoutFiles,
    processId: newId(),
    published: { findVersion: async () => publishedVersion() },
    publicUrl: 'https://farebox.test',
    streams: keepStreams({ database: database.current, log: quietLog }),
    database: { ...database.current, system: { query } },
  } as unknown as GatewayDeps;
  const held = {
    id: callId,
    fingerprint: 'f',
    payment: toStoredPayment(payment, offer),
    state: 'owed' as const,
    runs_long: false,
    buyer_proofs: ['proof'],
  };
  const outcome = await answerHeld(deps, held, {
    payment,
    fingerprint: 'f',
    shown: { secrets: ['proof'], token: null, signIn: undefined, clientAddress: 'unknown' },
    version: publishedVersion(),
    events: { after: { run: 1, position: 3 } },
  });
  const body = outcome.kind === 'answer' && outcome.answer.body;
  const ids: string[] = [];
  for await (const { run, position, part } of body && body.type === 'live' ? body.parts : []) {
    ids.push(`${run}-${position} ${part.type}`);
  }
  expect(ids).toEqual(['2-0 begin', '2-5 delta', '2-7 done']);
});
