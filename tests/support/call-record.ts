import { newId } from '#kit/index.ts';
import type { CallRecord } from '#usage/index.ts';

/** A paid, successful call of a resource of its own; `changes` say what is different. */
export function makeRecord(changes: Partial<CallRecord> = {}): CallRecord {
  return {
    callId: newId(),
    resourceId: newId(),
    versionId: newId(),
    version: 1,
    ownerId: 'creator',
    payer: '0x857b06519e91e3a54538791bdbb0e22373e36b66',
    callerUserId: null,
    requestId: newId(),
    status: 'success',
    problem: null,
    cause: null,
    evidence: {
      model: 'google/gemini-3-flash',
      provider: 'Google',
      generationId: 'gen-1',
      inputTokens: 12,
      outputTokens: 34,
      finishReason: 'stop',
    },
    attempts: 1,
    costUsd: '0.00012',
    latencyMs: 900,
    firstOutputMs: 200,
    amountAtomic: 10_000n,
    network: 'eip155:84532',
    transaction: '0x01',
    isTest: false,
    isSimulated: true,
    isFree: false,
    at: new Date('2026-11-21T11:00:00.000Z'),
    ...changes,
  };
}
