import { forbidden, invalid, type Bad } from './bad-request.ts';
import { asAda, type World } from './bad-request-world.ts';
import type { RawRequest } from './send-raw.ts';

/** What a creator may not store or do. */
export function listBadDrafts(world: World): Bad[] {
  const { ids } = world;
  const draft = (
    fields: Record<string, unknown>,
    body = JSON.stringify({ kind: 'openrouter_instant', slug: 'new', ...fields }),
  ): RawRequest => asAda(world, { method: 'POST', path: '/api/resources', body });
  const patch = (body: string): RawRequest =>
    asAda(world, { method: 'PATCH', path: `/api/resources/${ids.draft}`, body });
  const parameter = (fields: Record<string, unknown>) => draft({ parameters: [{ name: 'topic', ...fields }] });
  const { payTo } = world.ada;
  const config = { modelId: 'openai/gpt-4o-mini', systemPrompt: 'Hello.' };
  const neverRight: [string, Record<string, unknown>, RegExp][] = [
    ['a negative price', { priceUsdc: '-1' }, /-1.* is not an amount of USDC/],
    ['a price of 1e3', { priceUsdc: '1e3' }, /not an amount/],
    ['a price of seven places', { priceUsdc: '0.0000001' }, /at most 6 places/],
    ['a price with a comma', { priceUsdc: '0,01' }, /not an amount/],
    ['a price in Arabic digits', { priceUsdc: '١' }, /not an amount/],
    ['a price without end', { priceUsdc: '9'.repeat(30) }, /at most 1000 USDC/],
    ['a price above the limit', { priceUsdc: '999999999' }, /at most 1000 USDC/],
    ['a price with a currency sign', { priceUsdc: '$0.02' }, /\/priceUsdc.*not an amount/],
    ['a network that is not offered', { network: 'eip155:1' }, /eip155:84532/],
    ['an ENS name as payee', { payTo: 'ada.eth' }, /\/payTo/],
    ['the zero address', { payTo: `0x${'0'.repeat(40)}` }, /Nobody owns/],
    [
      'a wrong checksum',
      { payTo: payTo.replace(/[a-f]/i, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())) },
      /checksum/,
    ],
    ['a setting unknown', { config: { ...config, stream: true } }, /\/config\/stream.*is not a known field/],
    ['a setting beyond its range', { config: { ...config, temperature: 9 } }, /\/config\/temperature/],
    [
      'a tag that is not closed',
      { parameters: [{ name: 'topic' }], config: { ...config, systemPrompt: 'On {topic}.' } },
      /\/config\/systemPrompt.*has no close tag/,
    ],
    ['a tag with a typo', { config: { ...config, systemPrompt: '{topic}{/topci}' } }, /is closed by/],
  ];
  return [
    ...neverRight.map(([why, fields, says]): Bad => ({ why, send: draft(fields), ...invalid, says })),
    { why: 'no slug', send: draft({ slug: undefined }), ...invalid, says: /\/slug: is missing\./ },
    { why: 'an empty slug', send: draft({ slug: '' }), ...invalid, says: /lower-case/ },
    { why: 'a slug in capitals', send: draft({ slug: 'Essay' }), ...invalid, says: /lower-case/ },
    { why: 'a slug that climbs', send: draft({ slug: '../admin' }), ...invalid, says: /lower-case/ },
    { why: 'a slug with two hyphens', send: draft({ slug: 'a--b' }), ...invalid, says: /single hyphens/ },
    { why: 'a slug too long', send: draft({ slug: 'a'.repeat(61) }), ...invalid, says: /at most 60/ },
    { why: 'a slug in another script', send: draft({ slug: 'эссе' }), ...invalid, says: /lower-case/ },
    {
      why: 'a slug that is taken',
      send: draft({ slug: 'essay' }),
      status: 409,
      code: 'conflict',
      says: /another slug.*mine=true/s,
    },
    { why: 'a kind unknown', send: draft({ kind: 'crystal_ball' }), ...invalid, says: /\/kind/ },
    { why: 'a category unknown', send: draft({ category: 'magic' }), ...invalid, says: /\/category/ },
    { why: 'a field unknown', send: draft({ owner_id: 'me' }), ...invalid, says: /\/owner_id: is not a known field/ },
    {
      why: 'a price that is a number',
      send: draft({ priceUsdc: 0.01 }),
      ...invalid,
      says: /\/priceUsdc.*in quotes.*"0\.02"/,
    },
    { why: 'a timeout of a day', send: draft({ timeoutSeconds: 86_400 }), ...invalid, says: /\/timeoutSeconds/ },
    { why: 'a timeout with a fraction', send: draft({ timeoutSeconds: 5.5 }), ...invalid, says: /\/timeoutSeconds/ },
    {
      why: 'eleven tags',
      send: draft({ tags: Array.from({ length: 11 }, (_, n) => `t${n}`) }),
      ...invalid,
      says: /\/tags/,
    },
    { why: 'a name too long', send: draft({ name: 'x'.repeat(101) }), ...invalid, says: /\/name/ },
    {
      why: 'NUL in a name',
      send: draft({}, '{"kind":"openrouter_instant","slug":"new","name":"a\\u0000"}'),
      ...invalid,
      says: /NUL/,
    },
    {
      why: 'half a surrogate pair',
      send: draft({}, '{"kind":"openrouter_instant","slug":"new","name":"\\udfff"}'),
      ...invalid,
      says: /half a surrogate/,
    },
    {
      why: '__proto__',
      send: draft({}, '{"kind":"openrouter_instant","slug":"new","__proto__":{}}'),
      ...invalid,
      says: /__proto__/,
    },
    {
      why: 'nesting of 40 levels',
      send: draft({}, `{"config":${'['.repeat(40)}${']'.repeat(40)}}`),
      ...invalid,
      says: /deeper than 32/,
    },
    {
      why: 'a parameter of an unknown type',
      send: parameter({ type: 'date' }),
      ...invalid,
      says: /\/parameters\/0\/type/,
    },
    {
      why: 'a parameter with an unknown rule',
      send: parameter({ format: 'email' }),
      ...invalid,
      says: /\/parameters\/0\/format/,
    },
    ...['quote', 'test', 'examples'].map((what) => ({
      why: `parameters that are not wrapped, for ${what}`,
      send: asAda(world, { method: 'POST', path: `/api/resources/${ids.essay}/${what}`, body: '{"topic":"rivers"}' }),
      ...invalid,
      says: /topic.*is not a known field; the parameters belong into/,
    })),
    {
      why: 'unpaid work bounded by a number',
      send: asAda(world, { method: 'PUT', path: '/api/user/trust', body: '{"maxTrustUsdPerDay":2}' }),
      ...invalid,
      says: /in quotes, not a number: USD .*"0\.25"/,
    },
    {
      why: 'a spend cap that is a number',
      send: asAda(world, { method: 'PUT', path: '/api/user/spend-caps', body: '{"scope":"key","perDayUsd":2}' }),
      ...invalid,
      says: /\/perDayUsd: must be text in quotes, not a number: USD .*"0\.25"/,
    },
    { why: 'a list as body', send: patch('[]'), ...invalid, says: /JSON object/ },
    {
      why: 'an edit of an older revision',
      send: patch('{"revision":99,"name":"x"}'),
      status: 412,
      code: 'precondition_failed',
      says: /revision/,
    },
    { why: 'an edit whose id disagrees with the path', send: patch(`{"id":"${ids.essay}"}`), ...invalid, says: /path/ },
    {
      why: 'an edit of an archived resource',
      send: asAda(world, { method: 'PATCH', path: `/api/resources/${ids.archived}`, body: '{"name":"x"}' }),
      status: 409,
      code: 'conflict',
      says: /archived/,
    },
    {
      why: 'pausing a draft',
      send: asAda(world, { method: 'POST', path: `/api/resources/${ids.draft}/pause`, body: '{}' }),
      status: 409,
      code: 'conflict',
      says: /not published/,
    },
    {
      why: 'resuming what is not paused',
      send: asAda(world, { method: 'POST', path: `/api/resources/${ids.essay}/resume`, body: '{}' }),
      status: 409,
      code: 'conflict',
      says: /not paused/,
    },
    {
      why: 'publishing what has not changed',
      send: asAda(world, { method: 'POST', path: `/api/resources/${ids.essay}/publish`, body: '{}' }),
      status: 409,
      code: 'conflict',
      says: /Nothing has changed/,
    },
    {
      why: 'an OpenRouter key with blanks',
      send: asAda(world, {
        method: 'PUT',
        path: '/api/user/integrations/openrouter',
        body: '{"apiKey":"not a key at all"}',
      }),
      ...invalid,
      says: /without spaces/,
    },
    {
      why: 'an API key that may do everything',
      send: asAda(world, { method: 'POST', path: '/api/user/api-keys', body: '{"label":"x","scopes":["*"]}' }),
      ...invalid,
      says: /\/scopes\/0/,
    },
    {
      why: 'an API key with the scope admin',
      send: asAda(world, { method: 'POST', path: '/api/user/api-keys', body: '{"label":"x","scopes":["admin"]}' }),
      ...forbidden,
      says: /do not have: admin/,
    },
    {
      why: 'an API key that is misspelt',
      send: asAda(world, {
        method: 'POST',
        path: '/api/user/api-keys',
        body: '{"label":"x","scopes":["usage:read"],"expiresInDay":1}',
      }),
      ...invalid,
      says: /expiresInDay/,
    },
  ];
}

/** Drafts that may be kept but not offered: each is edited into the draft, and publishing it is refused. */
export async function listUnpublishable(world: World): Promise<Bad[]> {
  const payTo = world.ada.payTo;
  const complete = {
    kind: 'openrouter_instant',
    name: 'A draft',
    category: 'ai',
    priceUsdc: '0.01',
    network: 'eip155:84532',
    payTo,
    config: { modelId: 'openai/gpt-4o-mini', systemPrompt: 'Hello.' },
  };
  const parameter = { name: 'topic' };
  const broken: [string, Record<string, unknown>, RegExp][] = [
    ['no price', { priceUsdc: null }, /Set a price/],
    [
      'a second offer on the same network',
      { furtherOffers: [{ network: 'eip155:84532' }] },
      /\/furtherOffers\/0\/network.*already/,
    ],
    ['a model unknown', { config: { ...complete.config, modelId: 'acme/none' } }, /\/config\/modelId/],
    [
      'an unknown tag',
      { config: { ...complete.config, systemPrompt: 'Say\n  {word}{/word}' } },
      /Line 2, column 3: There is no parameter `word`/,
    ],
    ['an unused parameter', { parameters: [parameter] }, /`topic` is used in no template/],
    [
      'a picture with pages',
      { parameters: [{ name: parameter.name, type: 'image', maxPages: 2 }] },
      /`maxPages` does not apply to the type/,
    ],
  ];
  const made: Bad[] = [];
  for (const [index, [why, fields, says]] of broken.entries()) {
    const { status, body } = await world.ada.call('POST', '/api/resources', {
      ...complete,
      slug: `broken-${index}`,
      ...fields,
    });
    if (status !== 201) {
      throw new Error(`${why}: the draft was refused: ${JSON.stringify(body)}`);
    }
    const path = `/api/resources/${String(body['id'])}/publish`;
    made.push({
      why: `publishing ${why}`,
      send: asAda(world, { method: 'POST', path, body: '{}' }),
      status: 422,
      code: 'unprocessable',
      says,
    });
  }
  return made;
}
