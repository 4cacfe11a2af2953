import { expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { useOlderDatabase } from '../../tests/support/older-database.ts';
import type { Receipt } from './call-request.ts';
import { closeSettled } from './close-settled.ts';
import { toGivenAnswer, type StoredAnswer } from './stored-answer.ts';

const database = useOlderDatabase('0021');
const PAYER = '0x857b06519e91e3a54538791bdbb0e22373e36b66';
const PAY_TO = '0x1111111111111111111111111111111111111111';
const TRANSACTION = `0x${'ab'.repeat(32)}`;
const usage = { input_tokens: 12, output_tokens: 34, total_tokens: 46 };
const text = { response: 'an answer with \0 and "quotes"', usage };
const images = { response: '', images: [{ id: 'i', url: 'https://farebox.example/media/i' }], usage };

/** A record as it was stored before evidence had two parts. */
function toOldRecord(callId: string, model: string) {
  const evidence = { model, provider: 'Google', generationId: 'gen-1', inputTokens: 12, outputTokens: 34 };
  const run = { ...evidence, costUsd: '0.001', finishReason: 'stop', firstTokenMs: 200, isSimulated: false };
  const call = { callId, requestId: 'r', resourceId: newId(), versionId: newId(), version: 1, ownerId: 'o' };
  const ending = { callerUserId: null, status: 'success', problem: null, cause: null, latencyMs: 900 };
  const paid = { payer: PAYER, amountAtomic: '10000', network: 'eip155:84532', transaction: null };
  const record = { ...run, ...call, ...ending, ...paid, isTest: false, isFree: false, at: '2026-11-21T11:00:00.000Z' };
  return { record, receipt: { paidUsdc: '0.01', network: 'eip155:84532', payer: PAYER, version: 1, callId } };
}

async function insertOld(state: string, answer: object, model = 'google/gemini-3-flash'): Promise<string> {
  const id = newId();
  await database.current.system.query(
    `INSERT INTO calls (id, owner_id, resource_id, version_id, request_id, process_id, state, network, asset, payer,
                        uniqueness_key, amount_atomic, fingerprint, payment, offer, expires_at, deadline, answer, record,
                        transaction)
     VALUES ($1::uuid, 'o', $1::uuid, $1::uuid, 'r', $1::uuid, $2, 'eip155:84532', $3, $4, $1::text, 10000, 'f', '{}',
             $5, now(), now(), $6, $7, $8)`,
    [
      id,
      state,
      PAY_TO,
      PAYER,
      JSON.stringify({ payTo: PAY_TO, amountAtomic: '10000' }),
      JSON.stringify(answer),
      JSON.stringify(toOldRecord(id, model)),
      TRANSACTION,
    ],
  );
  return id;
}

async function readAnswer(id: string) {
  const { rows } = await database.current.system.query<{ answer: string }>('SELECT answer FROM calls WHERE id = $1', [
    id,
  ]);
  return toGivenAnswer(JSON.parse(rows[0]?.answer ?? '') as StoredAnswer, {} as Receipt);
}

test('answers and settlements under way survive the update: they are given out and closed as before it', async () => {
  const kept = await insertOld('delivered', text);
  const simulated = await insertOld('owed', { ...images, simulated: true });
  const pending = await insertOld('pending', text);
  const settling = await insertOld('settling', text, 'a model \0 that PostgreSQL cannot read');
  expect(await database.update()).toContain('0021_kept_answers.sql');

  const plain = { status: 200, contentType: 'application/json', headers: {}, media: [] };
  expect(await readAnswer(kept)).toMatchObject({ ...plain, body: { type: 'json', json: text }, isSimulated: false });
  const imaged = await readAnswer(simulated);
  expect(imaged).toMatchObject({ ...plain, body: { type: 'json', json: images }, isSimulated: true });
  const found = { callId: pending, by: 'find', transaction: TRANSACTION, runLeftMs: 0 } as const;
  expect(await closeSettled({ database: database.current }, found)).toMatchObject({ paidUsdc: '0.01' });
  const confirmed = { callId: settling, by: 'confirm', transaction: TRANSACTION, runLeftMs: 0 } as const;
  expect(await closeSettled({ database: database.current }, confirmed)).toMatchObject({ callId: settling });
  const { rows } = await database.current.system.query(
    `SELECT call_id, status, model, output_tokens::int, first_output_ms::int, cost_usd::text
     FROM x402_prompt_template_usage_logs ORDER BY model NULLS LAST`,
  );
  const told = { status: 'success', cost_usd: '0.001' };
  expect(rows).toMatchObject([
    { ...told, call_id: pending, model: 'google/gemini-3-flash', output_tokens: 34, first_output_ms: 200 },
    { ...told, call_id: settling, model: null },
  ]);
});
