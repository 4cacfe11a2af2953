import { forbidden, invalid, json, missing, unauthenticated, wrongType, type Bad } from './bad-request.ts';
import { signChanged, type World } from './bad-request-world.ts';
import type { RawRequest } from './send-raw.ts';

const good = JSON.stringify({ topic: 'rivers' });
const essay = '/@ada/essay';

/** Paid calls whose input or target is wrong: the payment is good, and must not be taken. */
export async function listBadCalls(world: World): Promise<Bad[]> {
  const { ids, ada, mallory, keys } = world;
  const call = async (body: string | Uint8Array, more: Partial<RawRequest> = {}): Promise<RawRequest> => ({
    method: 'POST',
    path: essay,
    body,
    ...more,
    headers: { ...json, 'PAYMENT-SIGNATURE': await signChanged(world, 2, (envelope) => envelope), ...more.headers },
  });
  const get = (query: string) => call('', { method: 'GET', path: `${essay}?${query}` });
  const execute = (body: unknown) => call(JSON.stringify(body), { path: '/api/execute' });
  const deep = `${'{"topic":'.repeat(40)}1${'}'.repeat(40)}`;
  const test = { 'X-Owner-Test': 'true' };
  const owner = (headers: Record<string, string>, path = essay): RawRequest => ({
    method: 'POST',
    path,
    headers: { ...json, ...test, ...headers },
    body: good,
  });
  const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });
  return [
    { why: 'no input', send: await call('{}'), ...invalid, says: /topic.* is missing/ },
    { why: 'an input that is no object', send: await call('["rivers"]'), ...invalid, says: /JSON object/ },
    { why: 'an input of null', send: await call('null'), ...invalid, says: /JSON object/ },
    { why: 'broken JSON', send: await call('{"topic":'), ...invalid, says: /JSON/ },
    { why: 'a byte order mark', send: await call(`\ufeff${good}`), ...invalid, says: /byte order mark/ },
    {
      why: 'bytes that are not UTF-8',
      send: await call(Uint8Array.of(123, 34, 255, 34, 58, 49, 125)),
      ...invalid,
      says: /UTF-8/,
    },
    { why: 'half a surrogate pair', send: await call('{"topic":"\\ud800"}'), ...invalid, says: /half a surrogate/ },
    { why: 'the NUL character', send: await call('{"topic":"a\\u0000b"}'), ...invalid, says: /NUL/ },
    { why: 'a field twice', send: await call('{"topic":"a","topic":"b"}'), ...invalid, says: /twice/ },
    { why: '__proto__', send: await call('{"topic":"a","__proto__":{"x":1}}'), ...invalid, says: /__proto__/ },
    { why: 'nesting of 40 levels', send: await call(deep), ...invalid, says: /deeper than 32/ },
    { why: 'a number instead of text', send: await call('{"topic":7}'), ...invalid, says: /must be a string/ },
    { why: 'a number without end', send: await call('{"topic":1e999}'), ...invalid, says: /number/ },
    {
      why: 'text over its limit',
      send: await call(JSON.stringify({ topic: 'x'.repeat(201) })),
      ...invalid,
      says: /at most 200 characters/,
    },
    {
      why: 'a field unknown',
      send: await call('{"topic":"a","constructor":"b"}'),
      ...invalid,
      says: /`constructor` is not a parameter/,
    },
    {
      why: 'a body over 256 KiB',
      send: await call(JSON.stringify({ topic: 'x'.repeat(300_000) })),
      status: 413,
      code: 'too_large',
      says: /256 KiB/,
    },
    {
      why: 'a form',
      send: await call('topic=a', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
      ...wrongType,
      says: /JSON/,
    },
    {
      why: 'text that claims nothing',
      send: await call('rivers', { headers: { 'Content-Type': 'text/plain' } }),
      ...wrongType,
      says: /JSON/,
    },
    { why: 'a field of the query twice', send: await get('topic=a&topic=b'), ...invalid, says: /topic.*twice/ },
    { why: 'a query that is not UTF-8', send: await get('topic=%ff'), ...invalid, says: /UTF-8/ },
    { why: 'NUL in the query', send: await get('topic=a%00b'), ...invalid, says: /NUL/ },
    {
      why: 'an unknown field of the query',
      send: await get('topic=a&token=b'),
      ...invalid,
      says: /`token` is not a parameter/,
    },
    {
      why: 'a resource that is not there',
      send: await call(good, { path: '/@ada/nothing' }),
      ...missing,
      says: /published/,
    },
    {
      why: 'a draft',
      send: await call(good, { path: '/@ada/unfinished' }),
      ...missing,
      says: /published/,
    },
    {
      why: 'a creator who is not there',
      send: await call(good, { path: '/@nobody/essay' }),
      ...missing,
      says: /published/,
    },
    {
      why: 'an archived resource',
      send: await call(good, { path: '/@ada/archived' }),
      status: 410,
      code: 'gone',
      says: /archived/,
    },
    {
      why: 'a slug with an encoded slash',
      send: await call(good, { path: '/@ada%2fessay' }),
      ...missing,
      says: /\/@creator\/slug/,
    },
    {
      why: 'dot segments',
      send: await call(good, { path: '/@ada/../@ada/essay' }),
      ...missing,
      says: /\/@creator\/slug/,
    },
    {
      why: 'a backslash',
      send: await call(good, { path: '/@ada\\essay' }),
      ...missing,
      says: /\/@creator\/slug/,
    },
    {
      why: 'two slashes at the end',
      send: await call(good, { path: '/@ada/essay//' }),
      ...missing,
      says: /\/@creator\/slug/,
    },
    ...(await Promise.all(
      ['PUT', 'PATCH', 'DELETE'].map(async (method) => ({
        why: `a payment with ${method}`,
        send: await call(good, { method }),
        status: 405,
        code: 'method_not_allowed',
        says: /POST/,
      })),
    )),
    {
      why: 'NUL in the slug',
      send: await call(good, { path: '/@ada/essay%00' }),
      ...missing,
      says: /\/@creator\/slug/,
    },
    {
      why: 'a slug in another script',
      send: await call(good, { path: '/@ada/%D0%B5ssay' }),
      ...missing,
      says: /\/@creator\/slug/,
    },
    { why: 'execute without an id', send: await execute({ input: {} }), ...invalid, says: /resourceId/ },
    {
      why: 'execute with a wrong id',
      send: await execute({ resourceId: "1' OR 1=1", input: {} }),
      ...invalid,
      says: /resourceId/,
    },
    {
      why: 'execute of what is not there',
      send: await execute({ resourceId: crypto.randomUUID(), input: {} }),
      ...missing,
      says: /published/,
    },
    {
      why: 'execute with an input of text',
      send: await execute({ resourceId: ids.essay, input: 'rivers' }),
      ...invalid,
      says: /JSON object/,
    },
    {
      why: 'execute with a field unknown',
      send: await execute({ resourceId: ids.essay, inputs: { topic: 'a' } }),
      ...invalid,
      says: /inputs/,
    },
    {
      why: 'execute with GET',
      send: await call('', { method: 'GET', path: '/api/execute' }),
      status: 405,
      code: 'method_not_allowed',
      says: /POST/,
    },
    { why: 'an owner test by nobody', send: owner({}), ...unauthenticated, says: /X-Owner-Test/ },
    {
      why: 'an owner test by a stranger',
      send: owner({ Cookie: mallory.cookie }),
      ...forbidden,
      says: /owner/,
    },
    {
      why: 'an owner test with a key that may only read',
      send: owner(bearer(keys.reader)),
      ...forbidden,
      says: /resources:write/,
    },
    {
      why: 'an owner test with a key revoked',
      send: owner(bearer(keys.revoked)),
      ...unauthenticated,
      says: /revoked/,
    },
    {
      why: "an owner test from another site's page",
      send: owner({ Cookie: ada.cookie, Origin: 'https://evil.example' }),
      ...unauthenticated,
      says: /sign in/,
    },
    {
      why: 'an owner test of an archived resource',
      send: owner({ Cookie: ada.cookie }, '/@ada/archived'),
      status: 410,
      code: 'gone',
      says: /archived/,
    },
    {
      why: 'a free call with a wrong input',
      send: { method: 'POST', path: '/@ada/free', headers: json, body: '{"topic":[]}' },
      ...invalid,
      says: /must be a string/,
    },
  ];
}
