import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostileMembers, hostileText } from '../../../tests/support/hostile-json.ts';
import { parseEvent } from './parse-event.ts';
import { parseFailure } from './parse-failure.ts';
import { readErrorBody } from './read-error.ts';

const names = `
  error message detail msg loc code type object base_resp status_code status_msg metadata headers raw
  reasons error_type http_status limit_source resets_at details X-RateLimit-Reset Retry-After
  availability retry_after retryDelay @type`
  .trim()
  .split(/\s+/);
const ofEvents = [
  'choices',
  'delta',
  'message',
  'content',
  'text',
  'image_url',
  'url',
  'usage',
  'cost',
  'images',
  'id',
];

test('an answer of an upstream is read whatever its objects hold', () => {
  fc.assert(
    fc.property(hostileText([...names, ...ofEvents]), (text) => {
      expect(parseEvent(text)).toBeTypeOf('object');
      expect(() => readErrorBody(text)).not.toThrow();
    }),
    { numRuns: 2_000 },
  );
});

test('an error of an upstream is understood as far as it can be, whatever it holds', () => {
  const source = { kind: 'http', status: null, retryAfterHeader: null, secrets: ['sk-secret'], nowMs: 0 } as const;
  fc.assert(
    fc.property(hostileMembers(names), hostileMembers(names), (outer, metadata) => {
      const error = { ...outer, metadata: { ...metadata, headers: outer } };
      const { retryAfterSeconds } = parseFailure({ ...source, error } as unknown as Parameters<typeof parseFailure>[0]);
      expect(retryAfterSeconds === null || Number.isFinite(retryAfterSeconds)).toBe(true);
      const complaints = [{ loc: ['body', metadata], msg: outer }];
      readErrorBody(JSON.stringify({ detail: complaints, ...outer }));
    }),
    { numRuns: 2_000 },
  );
});
