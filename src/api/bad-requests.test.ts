import { expect, test } from 'vitest';
import { jsonHeaders, signedIn, toyOptions } from '../../tests/support/toy-app.ts';
import { buildApp } from './build-app.ts';
import { openMetrics } from './open-metrics.ts';

interface Bad {
  why: string;
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
  status: number;
  code: string;
  says?: RegExp;
}

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(values);
const invalid = { status: 400, code: 'invalid_input' };
const session = { ...jsonHeaders, Cookie: 'session=alice' };

const table: Bad[] = [
  { why: 'no credentials', headers: jsonHeaders, body: '{"title":"x"}', status: 401, code: 'unauthenticated' },
  {
    why: 'an unknown API key',
    headers: { ...jsonHeaders, Authorization: 'Bearer nope' },
    body: '{"title":"x"}',
    status: 401,
    code: 'unauthenticated',
  },
  {
    why: 'an API key without the scope',
    headers: { ...jsonHeaders, Authorization: 'Bearer reader' },
    body: '{"title":"x"}',
    status: 403,
    code: 'forbidden',
    says: /resources:write/,
  },
  {
    why: 'an API key where a session is needed',
    method: 'DELETE',
    path: '/api/notes/n1',
    status: 403,
    code: 'forbidden',
    says: /session/,
  },
  {
    why: 'an admin operation by a user',
    path: '/api/admin/rebuild',
    headers: { ...session, Origin: 'https://farebox.test' },
    body: '{}',
    status: 403,
    code: 'forbidden',
    says: /admin/,
  },
  {
    why: 'a session without Origin',
    headers: session,
    body: '{"title":"x"}',
    status: 403,
    code: 'forbidden',
    says: /Origin/,
  },
  {
    why: 'a session from another origin',
    headers: { ...session, Origin: 'https://evil.test' },
    body: '{"title":"x"}',
    status: 403,
    code: 'forbidden',
  },
  {
    why: 'a session from the null origin',
    headers: { ...session, Origin: 'null' },
    body: '{"title":"x"}',
    status: 403,
    code: 'forbidden',
  },
  {
    why: 'a form body',
    headers: { ...signedIn, 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'title=x',
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    why: 'a text body',
    headers: { ...signedIn, 'Content-Type': 'text/plain' },
    body: '{"title":"x"}',
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    why: 'a type that only begins like JSON',
    headers: { ...signedIn, 'Content-Type': 'application/jsonp' },
    body: '{"title":"x"}',
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    why: 'another charset',
    headers: { ...signedIn, 'Content-Type': 'application/json; charset=utf-16' },
    body: '{"title":"x"}',
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    why: 'a compressed body',
    headers: { ...signedIn, 'Content-Encoding': 'gzip' },
    body: '{"title":"x"}',
    status: 415,
    code: 'unsupported_media_type',
  },
  {
    why: 'a body over the limit',
    body: JSON.stringify({ title: 'x'.repeat(300_000) }),
    status: 413,
    code: 'too_large',
  },
  {
    why: 'an announced length over the limit',
    headers: { ...signedIn, 'Content-Length': '999999999' },
    body: '{}',
    status: 413,
    code: 'too_large',
  },
  { why: 'broken JSON', body: '{"title":"x"', ...invalid, says: /line 1, column 13/ },
  { why: 'something after the JSON', body: '{"title":"x"}}', ...invalid, says: /after the end/ },
  { why: 'a name twice', body: '{"title":"x","title":"y"}', ...invalid, says: /twice/ },
  { why: '__proto__', body: '{"title":"x","__proto__":{"size":9}}', ...invalid, says: /__proto__/ },
  {
    why: 'nesting without end',
    body: `{"title":"x","nested":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    ...invalid,
    says: /deeper/,
  },
  { why: 'NUL in a text', body: '{"title":"\\u0000"}', ...invalid, says: /NUL/ },
  { why: 'half a surrogate pair', body: '{"title":"\\udc00"}', ...invalid, says: /surrogate/ },
  { why: 'a number beyond numbers', body: '{"title":"x","size":1e400}', ...invalid, says: /too large/ },
  { why: 'an array', body: '[{"title":"x"}]', ...invalid, says: /object/ },
  { why: 'null', body: 'null', ...invalid, says: /object/ },
  { why: 'bytes that are not UTF-8', body: bytes(0x7b, 0x22, 0xff, 0x22, 0x7d), ...invalid, says: /UTF-8/ },
  { why: 'overlong UTF-8', body: bytes(0x22, 0xc0, 0xaf, 0x22), ...invalid, says: /UTF-8/ },
  { why: 'a byte order mark', body: '\ufeff{"title":"x"}', ...invalid, says: /byte order mark/ },
  { why: 'a missing field', body: '{}', ...invalid, says: /\/title/ },
  { why: 'a wrong type', body: '{"title":7}', ...invalid, says: /\/title/ },
  { why: 'an unknown field', body: '{"title":"x","a/b":1}', ...invalid, says: /\/a~1b/ },
  { why: 'a text too long', body: `{"title":"${'x'.repeat(41)}"}`, ...invalid, says: /\/title/ },
  { why: 'a bad item in a list', body: '{"title":"x","tags":["a",1]}', ...invalid, says: /\/tags\/1/ },
  {
    why: 'a field in query and body',
    path: '/api/notes?title=y',
    body: '{"title":"x"}',
    ...invalid,
    says: /query and the body/,
  },
  {
    why: 'a path and a body that disagree',
    method: 'PATCH',
    path: '/api/notes/n1',
    body: '{"id":"n2","title":"x"}',
    ...invalid,
    says: /path/,
  },
  { why: 'a query name twice', method: 'GET', path: '/api/notes?limit=1&limit=2', ...invalid, says: /\/limit/ },
  {
    why: 'a query that is not percent-encoded',
    method: 'GET',
    path: '/api/notes?limit=%zz',
    ...invalid,
    says: /percent/,
  },
  { why: 'NUL in the query', method: 'GET', path: '/api/notes?limit=%00', ...invalid, says: /NUL/ },
  { why: '__proto__ in the query', method: 'GET', path: '/api/notes?__proto__=1', ...invalid, says: /__proto__/ },
  { why: 'a limit out of range', method: 'GET', path: '/api/notes?limit=1000', ...invalid, says: /\/limit/ },
  { why: 'a limit that is no number', method: 'GET', path: '/api/notes?limit=ten', ...invalid, says: /\/limit/ },
  {
    why: 'a GET with a body',
    method: 'GET',
    path: '/api/notes',
    headers: { 'Content-Length': '5' },
    ...invalid,
    says: /body/,
  },
  {
    why: 'a path that is not UTF-8',
    method: 'PATCH',
    path: '/api/notes/%ff',
    body: '{"title":"x"}',
    ...invalid,
    says: /path/,
  },
  { why: 'NUL in the path', method: 'PATCH', path: '/api/notes/%00', body: '{"title":"x"}', ...invalid, says: /path/ },
  {
    why: 'an unknown note',
    method: 'PATCH',
    path: '/api/notes/n%2f1',
    body: '{"title":"x"}',
    status: 404,
    code: 'not_found',
  },
  { why: 'a path out of the API', method: 'GET', path: '/api/../etc/passwd', status: 404, code: 'not_found' },
  { why: 'an unknown path', method: 'GET', path: '/api/nothing', status: 404, code: 'not_found' },
  {
    why: 'a method that is not served',
    method: 'PUT',
    path: '/api/notes',
    body: '{}',
    status: 405,
    code: 'method_not_allowed',
    says: /GET, HEAD, OPTIONS, POST/,
  },
  { why: 'an invented method', method: 'BREW', path: '/api/notes', status: 405, code: 'method_not_allowed' },
  {
    why: 'an image with a wrong signature',
    method: 'GET',
    path: '/api/images/018f2f3e-0000-7000-8000-000000000000?expires=1&signature=bad',
    status: 403,
    code: 'forbidden',
  },
  {
    why: 'an image id that is a path',
    method: 'GET',
    path: '/api/images/..%2f..%2fetc?signature=good',
    status: 404,
    code: 'not_found',
  },
  {
    why: 'a usage file for nobody',
    method: 'GET',
    path: '/api/usage.csv',
    headers: {},
    status: 401,
    code: 'unauthenticated',
  },
  {
    why: 'a usage file with a wrong filter',
    method: 'GET',
    path: '/api/usage.csv?status=lost',
    ...invalid,
    says: /\/status/,
  },
  {
    why: 'a faucet address that is none',
    path: '/sandbox/faucet',
    body: '{"address":"0x12"}',
    ...invalid,
    says: /\/address/,
  },
  {
    why: 'a faucet call with more',
    path: '/sandbox/faucet',
    body: `{"address":"0x${'1'.repeat(40)}","amount":9}`,
    ...invalid,
    says: /\/amount/,
  },
  {
    why: 'a huge sign-in',
    path: '/api/auth/sign-in/email',
    headers: { 'Content-Length': '300000' },
    body: '{}',
    status: 413,
    code: 'too_large',
  },
  { why: 'metrics for strangers', method: 'GET', path: '/metrics', headers: {}, status: 401, code: 'unauthenticated' },
];

const metrics = openMetrics();

test.each(table)('refuses $why', async (bad) => {
  const faucet: string[] = [];
  const { options, state } = toyOptions({
    metrics,
    sandbox: { describe: () => ({}), faucet: async (address) => (faucet.push(address), {}) },
  });
  state.notes.push({ id: 'n1', title: 'kept', size: 1 });
  const response = await buildApp(options).request(bad.path ?? '/api/notes', {
    method: bad.method ?? 'POST',
    headers: bad.headers ?? signedIn,
    ...(bad.body === undefined ? {} : { body: bad.body }),
  });
  const problem = (await response.json()) as Record<string, unknown>;
  expect(response.status).toBe(bad.status);
  expect(problem).toMatchObject({
    code: bad.code,
    status: bad.status,
    requestId: response.headers.get('x-request-id'),
  });
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(JSON.stringify(problem)).toMatch(bad.says ?? /./);
  expect(state.notes).toEqual([{ id: 'n1', title: 'kept', size: 1 }]);
  expect(faucet).toEqual([]);
  expect(state.logged).toEqual([]);
});
