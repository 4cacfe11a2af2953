import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { jsonAnswer, noEvidence, type Answer, type Evidence, type Outcome } from '#resources/index.ts';
import { checkOutcome, MAX_ANSWER_BYTES } from './check-outcome.ts';

const kind = { evidenceSchema: z.object({ words: z.int() }) };
const evidence: Evidence = { ...noEvidence, attempts: 2, costUsd: '0.5', own: { words: 3 } };

function check(answer: Partial<Answer>): Outcome {
  return checkOutcome(kind, { ok: true, answer: { ...jsonAnswer({ response: 'x' }), ...answer }, evidence });
}

const refused = (cause: string) => ({
  ok: false,
  problem: 'upstream_failed',
  cause: expect.stringContaining(cause),
  evidence,
});

test('of the headers of an answer only those of the allow-list go out, whatever their case', () => {
  const headers = {
    'Content-Language': 'en',
    ETAG: '"1"',
    'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
    'Content-Disposition': 'attachment; filename="a.txt"',
    'Set-Cookie': 'a=b',
    Location: 'https://elsewhere.example',
    'Access-Control-Allow-Credentials': 'true',
    'PAYMENT-RESPONSE': 'e30=',
    'Content-Length': '1',
    'Transfer-Encoding': 'chunked',
  };
  expect(check({ headers })).toMatchObject({
    ok: true,
    answer: {
      headers: {
        'content-language': 'en',
        etag: '"1"',
        'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
        'content-disposition': 'attachment; filename="a.txt"',
      },
    },
  });
  expect(Object.keys((check({ headers }) as { answer: Answer }).answer.headers)).toHaveLength(4);
});

test.each([
  ['a line break', 'en\r\nSet-Cookie: a=b'],
  ['another alphabet', 'Ελ'],
  ['more than 500 characters', 'e'.repeat(501)],
])('a header whose value has %s is dropped, and the answer goes out', (_what, value) => {
  expect(check({ headers: { 'Content-Language': value } })).toMatchObject({ ok: true, answer: { headers: {} } });
});

test.each([200, 201, 203, 206, 299])('the status %d is passed on', (status) => {
  expect(check({ status })).toMatchObject({ ok: true, answer: { status } });
});

test.each([0, 100, 199, 204, 205, 301, 304, 402, 500, 200.5, Number.NaN])('the status %d is a failure', (status) => {
  expect(check({ status })).toEqual(refused('unusable_status'));
});

test.each([
  'application/json',
  'text/plain; charset=utf-8',
  'text/plain;charset="utf-8"',
  'image/svg+xml',
  'application/vnd.acme.v2+json; v=2',
])('the content type %s is passed on', (contentType) => {
  expect(check({ contentType })).toMatchObject({ ok: true, answer: { contentType } });
});

test.each([
  '',
  'text',
  'text/',
  '/plain',
  'text/plain\r\nSet-Cookie: a=b',
  'text/plain; charset="a\nb"',
  'text/plain; charset',
  `text/${'x'.repeat(61)}`,
])('the content type %j is a failure', (contentType) => {
  expect(check({ contentType })).toEqual(refused('unusable_content_type'));
});

describe('the size of an answer', () => {
  test.each([
    ['bytes', { type: 'bytes', bytes: new Uint8Array(MAX_ANSWER_BYTES) }],
    ['JSON', { type: 'json', json: { a: 'x'.repeat(MAX_ANSWER_BYTES - 8) } }],
  ] as const)('is allowed up to 16 MiB of %s', (_what, body) => {
    expect(check({ body }).ok).toBe(true);
  });

  test.each([
    ['bytes', { type: 'bytes', bytes: new Uint8Array(MAX_ANSWER_BYTES + 1) }],
    ['JSON', { type: 'json', json: { a: 'x'.repeat(MAX_ANSWER_BYTES - 7) } }],
    ['JSON, counted in bytes', { type: 'json', json: { a: 'ü'.repeat(MAX_ANSWER_BYTES / 2) } }],
  ] as const)('is a failure beyond 16 MiB of %s', (_what, body) => {
    expect(check({ body })).toEqual(refused('answer_too_large'));
  });
});

describe('the evidence of a kind', () => {
  const own = (told: Evidence['own']) =>
    checkOutcome(kind, { ok: true, answer: jsonAnswer({}), evidence: { ...evidence, own: told } }).evidence;

  test('is kept as its schema reads it', () => {
    expect(own({ words: 3, secret: 'x' })).toEqual(evidence);
  });

  test.each([{ words: 'three' }, { words: 1.5 }, {}])('is left out where it does not fit its schema: %o', (told) => {
    expect(own(told)).toEqual({ ...evidence, own: {} });
  });

  test('is left out where it is too long to keep', () => {
    const long = { evidenceSchema: z.record(z.string(), z.string()) };
    const outcome: Outcome = {
      ok: true,
      answer: jsonAnswer({}),
      evidence: { ...evidence, own: { text: 'x'.repeat(8_000) } },
    };
    expect(checkOutcome(long, outcome)).toMatchObject({ ok: true, evidence: { attempts: 2, own: {} } });
  });

  test('is checked where the run failed, too', () => {
    const failed = { ok: false, problem: 'unavailable', cause: 'key_missing: none', retryAfterSeconds: 7 } as const;
    const checked = checkOutcome(kind, { ...failed, evidence: { ...evidence, own: { words: null } } });
    expect(checked).toEqual({ ...failed, evidence: { ...evidence, own: {} } });
  });
});
