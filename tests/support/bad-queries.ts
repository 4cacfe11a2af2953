import { forbidden, invalid, json, missing, type Bad } from './bad-request.ts';
import { asAda, type World } from './bad-request-world.ts';
import type { RawRequest } from './send-raw.ts';

/** Queries that are not valid, or name nothing. */
export function listBadQueries(world: World): Bad[] {
  const get = (path: string): RawRequest => asAda(world, { path });
  return [
    { why: 'an id that is none', send: get('/api/resources/42'), ...invalid, says: /\/id/ },
    {
      why: 'an id of nothing',
      send: get(`/api/resources/${crypto.randomUUID()}`),
      ...missing,
      says: /no such resource/,
    },
    {
      why: 'an archived resource',
      send: { path: `/api/resources/${world.ids.archived}` },
      status: 410,
      code: 'gone',
      says: /taken this resource off/,
    },
    { why: 'a limit of zero', send: get('/api/resources?limit=0'), ...invalid, says: /\/limit/ },
    { why: 'a limit without end', send: get('/api/resources?limit=1e9'), ...invalid, says: /\/limit/ },
    { why: 'a cursor made up', send: get('/api/resources?cursor=abc'), ...invalid, says: /\/cursor/ },
    {
      why: 'a cursor of the usage made up',
      send: get('/api/usage?cursor=W10'),
      ...invalid,
      says: /cursor was not made here/,
    },
    {
      why: 'a cursor of models for another sorting',
      send: get('/api/models?sort=price&cursor=W10'),
      ...invalid,
      says: /this list and sorting/,
    },
    { why: 'a status unknown', send: get('/api/usage?status=great'), ...invalid, says: /\/status/ },
    { why: 'a time that is none', send: get('/api/usage?from=yesterday'), ...invalid, says: /\/from/ },
    {
      why: 'times the wrong way round',
      send: get('/api/usage?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z'),
      ...invalid,
      says: /after .*from/,
    },
    { why: 'a payer that is no address', send: get('/api/usage?payer=0x1'), ...invalid, says: /40 hexadecimal/ },
    { why: 'a filter misspelt', send: get('/api/usage?statuss=failed'), ...invalid, says: /\/statuss/ },
    { why: 'a filter of the CSV misspelt', send: get('/api/usage.csv?resource=1'), ...invalid, says: /\/resource/ },
    { why: 'a filter of models misspelt', send: get('/api/models?modality=image'), ...invalid, says: /\/modality/ },
    {
      why: 'a price that is no number',
      send: get('/api/models?maxPromptPrice=cheap'),
      ...invalid,
      says: /USD per million/,
    },
    {
      why: 'a filter twice',
      send: get('/api/models?free=true&free=false'),
      ...invalid,
      says: /\/free: Write true or false/,
    },
    { why: 'NUL in a search', send: get('/api/models?q=a%00'), ...invalid, says: /NUL/ },
    { why: 'a search that is not UTF-8', send: get('/api/models?q=%ff'), ...invalid, says: /UTF-8/ },
    { why: '__proto__ in the query', send: get('/api/models?__proto__=1'), ...invalid, says: /__proto__/ },
    {
      why: 'a body with GET',
      send: { path: '/api/models', headers: { ...json, 'Content-Length': '9' }, body: '{"q":"x"}' },
      ...invalid,
      says: /in the query/,
    },
    { why: 'a model that is not there', send: get('/api/models/nobody/nothing'), ...missing, says: /catalogue/ },
    {
      why: 'an image that is not there',
      send: get(`/api/images/${crypto.randomUUID()}?expires=9999999999&signature=abc`),
      ...forbidden,
      says: /whole URL/,
    },
    {
      why: 'an image without signature',
      send: get(`/api/images/${crypto.randomUUID()}`),
      ...forbidden,
      says: /whole URL/,
    },
    { why: 'an image id that climbs', send: get('/api/images/..%2f..%2fmaster-key'), ...missing, says: /file/ },
    { why: 'a path of nothing', send: get('/api/nothing'), ...missing, says: /Nothing is served/ },
    { why: 'a path that is not UTF-8', send: get('/api/models/%ff/x'), ...invalid, says: /UTF-8/ },
    { why: 'NUL in a path', send: get('/api/models/a%00/x'), ...invalid, says: /NUL/ },
    { why: 'an encoded slash', send: get('/api%2fmodels'), ...missing, says: /Nothing is served/ },
    { why: 'a backslash', send: get('/api\\models\\..\\secret'), ...invalid, says: /request target/ },
  ];
}
