import { expect, test } from 'vitest';
import { z } from 'zod';
import { systemClock } from '#kit/index.ts';
import { noEvidence, type AnswerPart, type PartsEnd, type ResourceKind } from '#resources/index.ts';
import type { CallRecord } from '#usage/index.ts';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { quietLog } from '../../tests/support/test-chain.ts';
import type { CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { runUnpaid, type UnpaidRun } from './run-unpaid.ts';

test('a client who leaves with the first output, before it can go out, ends the run: it is logged, and its files are forgotten', async () => {
  const leaving = new AbortController();
  const ended = Promise.withResolvers<void>();
  async function* speak(): AsyncGenerator<AnswerPart, PartsEnd> {
    try {
      leaving.abort();
      yield { type: 'delta', text: 'Ore' };
      return { ok: true, evidence: noEvidence };
    } finally {
      ended.resolve();
    }
  }
  const version = publishedVersion({
    parameters: [{ name: 'photo', type: 'image', description: '', required: false }],
  });
  const answer = { status: 200, contentType: 'text/plain', headers: {}, media: [] };
  const kind = {
    name: version.kind,
    evidenceSchema: z.object({}),
    run: async () => ({
      ok: true,
      answer: { ...answer, body: { type: 'parts', parts: speak() } },
      evidence: noEvidence,
    }),
  } as unknown as ResourceKind;
  const [logged, forgotten]: [CallRecord[], string[]] = [[], []];
  const deps = {
    kinds: new Map([[version.kind, kind]]),
    clock: systemClock,
    log: quietLog,
    publicUrl: 'https://farebox.test',
    inputs: { forget: async (callId: string) => void forgotten.push(callId) },
    recordUnpaid: async (record: CallRecord) => void logged.push(record),
  } as unknown as GatewayDeps;
  const request = { requestId: 'r', events: { after: null }, gone: leaving.signal, isOwnerTest: false };
  const run: UnpaidRun = {
    callId: 'c',
    version,
    request: request as unknown as CallRequest,
    caller: { kind: 'anonymous' },
    startedAt: systemClock.now(),
  };
  expect(await runUnpaid(deps, run, {})).toMatchObject({ kind: 'problem', problem: { code: 'unavailable' } });
  await ended.promise;
  expect(logged).toMatchObject([{ callId: 'c', status: 'failed', cause: expect.stringContaining('caller_left') }]);
  expect(forgotten).toEqual(['c']);
});
