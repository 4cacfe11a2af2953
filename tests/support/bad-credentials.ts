import { forbidden, json, missing, unauthenticated, type Bad } from './bad-request.ts';
import { type World } from './bad-request-world.ts';
import type { RawRequest } from './send-raw.ts';

/** Requests by people and keys without the right to make them. */
export function listBadCredentials(world: World): Bad[] {
  const { ada, mallory, keys, ids, adaKeyId, app } = world;
  const create = (headers: Record<string, string>): RawRequest => ({
    method: 'POST',
    path: '/api/resources',
    headers: { ...json, ...headers },
    body: JSON.stringify({ kind: 'openrouter_instant', slug: 'new' }),
  });
  const bearer = (key: string) => ({ Authorization: `Bearer ${key}` });
  const asMallory = { Cookie: mallory.cookie, Origin: app.url };
  return [
    { why: 'nobody creates', send: create({}), ...unauthenticated, says: /signed-in/ },
    {
      why: 'a cookie made up',
      send: create({ Cookie: 'farebox.session_token=abc.def', Origin: app.url }),
      ...unauthenticated,
      says: /signed-in/,
    },
    { why: 'an unknown key', send: create(bearer(keys.unknown)), ...unauthenticated, says: /not known/ },
    { why: 'a revoked key', send: create(bearer(keys.revoked)), ...unauthenticated, says: /was revoked/ },
    { why: 'an expired key', send: create(bearer(keys.expired)), ...unauthenticated, says: /expired at \d{4}-/ },
    { why: 'a key cut short', send: create(bearer(keys.reader.slice(0, 20))), ...unauthenticated, says: /not known/ },
    { why: 'a key with a blank inside', send: create(bearer('fbx_ abc')), ...unauthenticated, says: /cannot be read/ },
    { why: 'a key without its scope', send: create(bearer(keys.reader)), ...forbidden, says: /"resources:write"/ },
    {
      why: 'usage with a key without its scope',
      send: { path: '/api/usage', headers: bearer(keys.noUsage) },
      ...forbidden,
      says: /"usage:read"/,
    },
    {
      why: 'CSV with a key without its scope',
      send: { path: '/api/usage.csv', headers: bearer(keys.noUsage) },
      ...forbidden,
      says: /"usage:read"/,
    },
    {
      why: 'a key makes a key',
      send: { method: 'POST', path: '/api/user/api-keys', headers: { ...json, ...bearer(keys.reader) }, body: '{}' },
      ...forbidden,
      says: /session/,
    },
    { why: 'a change without Origin', send: create({ Cookie: ada.cookie }), ...forbidden, says: /Origin/ },
    {
      why: 'a change from another site',
      send: create({ Cookie: ada.cookie, Origin: 'https://evil.example' }),
      ...unauthenticated,
      says: /signed-in.*Origin header of the request is not this site's/,
    },
    {
      why: 'a change from the null origin',
      send: create({ Cookie: ada.cookie, Origin: 'null' }),
      ...unauthenticated,
      says: /signed-in/,
    },
    {
      why: 'sign-in from another site',
      send: {
        method: 'POST',
        path: '/api/auth/sign-in/email',
        headers: { ...json, Origin: 'https://evil.example' },
        body: '{"email":"ada@example.com","password":"x"}',
      },
      ...forbidden,
      says: /its Origin header is not this site's/,
    },
    {
      why: 'sign-in with a wrong password',
      send: {
        method: 'POST',
        path: '/api/auth/sign-in/email',
        headers: { ...json, Origin: app.url },
        body: '{"email":"ada@example.com","password":"wrong horse"}',
      },
      status: 401,
      code: 'unauthenticated',
      says: /do not belong together/,
    },
    {
      why: 'a stranger syncs models',
      send: { method: 'POST', path: '/api/admin/sync-models', headers: { ...json, ...asMallory }, body: '{}' },
      ...forbidden,
      says: /administrator/,
    },
    {
      why: 'a stranger edits',
      send: {
        method: 'PATCH',
        path: `/api/resources/${ids.essay}`,
        headers: { ...json, ...asMallory },
        body: '{"name":"mine"}',
      },
      ...missing,
      says: /no such resource/,
    },
    {
      why: 'a stranger archives',
      send: {
        method: 'POST',
        path: `/api/resources/${ids.essay}/archive`,
        headers: { ...json, ...asMallory },
        body: '{}',
      },
      ...missing,
      says: /no such resource/,
    },
    {
      why: 'a stranger reads a draft',
      send: { path: `/api/resources/${ids.draft}`, headers: asMallory },
      ...missing,
      says: /no such resource/,
    },
    {
      why: 'a stranger revokes a key',
      send: { method: 'DELETE', path: `/api/user/api-keys/${adaKeyId}`, headers: asMallory },
      ...missing,
      says: /no API key/,
    },
    {
      why: 'a stranger sets a secret',
      send: {
        method: 'PUT',
        path: `/api/resources/${ids.essay}/secrets/upstream_api_key`,
        headers: { ...json, ...asMallory },
        body: '{"value":"stolen"}',
      },
      ...missing,
      says: /no resource with this id/,
    },
  ];
}
