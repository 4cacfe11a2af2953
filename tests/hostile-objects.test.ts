import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { hostileJson, hostileMembers, hostileText } from './support/hostile-json.ts';
import { listDeclared, toRequest } from './support/operation-requests.ts';
import { getChallenge, send, toOffer } from './support/paid-request.ts';
import { encodeHeader, makeAccount, signOffer, toEnvelope } from './support/pay.ts';
import { sendRaw } from './support/send-raw.ts';
import { useApp, type Creator } from './support/start-app.ts';

/* Objects such as {"toString": 1}, which throw where they are made a text or a number, wherever something is read. */
const app = useApp();
let ada: Creator;
let essay: { id: string; url: string };
let document: { paths: Record<string, Record<string, object>>; components: { schemas?: Record<string, object> } };

beforeAll(async () => {
  ada = await app.current.makeCreator('ada');
  essay = await ada.publish({ slug: 'essay' });
  document = (await (await fetch(`${app.current.url}/api/openapi.json`)).json()) as typeof document;
});

const chatNames = `
  model messages role content type text image_url url detail input_audio data format file file_data
  tool_calls tools n stream stream_options include_usage input response_format metadata parameters
  extra_body topic user temperature instructions`
  .trim()
  .split(/\s+/);
const envelopeNames = `
  x402Version scheme network payload accepted extensions resource signature authorization from to
  value validAfter validBefore nonce extra amount payTo`
  .trim()
  .split(/\s+/);

/** The names of the members that a schema has at any depth. */
function listNames(schema: unknown, seen = new Set<unknown>()): string[] {
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) {
    return [];
  }
  seen.add(schema);
  const { properties = {}, $ref, ...rest } = schema as { properties?: object; $ref?: string };
  const named = $ref === undefined ? null : document.components.schemas?.[$ref.split('/').at(-1) ?? ''];
  const below = [named, ...Object.values(properties), ...Object.values(rest)];
  return [...Object.keys(properties), ...below.flatMap((one) => listNames(one, seen))];
}

const failures = () => app.current.logged.filter((line) => /unexpected|TypeError/.test(line));

/** What was not meant: something broke behind the answer. */
async function findFault(asking: () => Promise<{ status: number }>): Promise<object | null> {
  const before = failures().length;
  const { status } = await asking();
  const broke = failures().slice(before);
  return (status < 500 || status === 503) && broke.length === 0 ? null : { status, broke };
}

test('operations refuse them', async () => {
  const operations = listDeclared().filter(({ method }) => method !== 'GET');
  expect(operations.length).toBeGreaterThan(30);
  const bea = await app.current.makeCreator('bea');
  const { id } = await bea.publish({ slug: 'changed-by-each' });
  for (const operation of operations) {
    const { pattern, method } = operation;
    const documented = document.paths[pattern.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
    const names = [...new Set(listNames(documented))];
    const bodies = names.length === 0 ? hostileMembers(['id', 'name']) : hostileMembers(names);
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const request = toRequest(operation, { id }, body);
        const { headers } = request;
        const sent = { ...request, headers: { ...headers, Cookie: bea.cookie, Origin: app.current.url } };
        expect(await findFault(() => sendRaw(app.current.url, sent))).toBeNull();
      }),
      { numRuns: 12 },
    );
  }
});

test.each(['/v1/chat/completions', '/v1/responses'])('%s refuses them', async (path) => {
  const good = { model: 'ada/essay', messages: [{ role: 'user', content: 'rivers' }], input: 'rivers' };
  const bodies = fc.tuple(hostileMembers(chatNames), hostileMembers(chatNames), fc.boolean());
  await fc.assert(
    fc.asyncProperty(bodies, async ([turn, more, isInTurn]) => {
      const said = { messages: [{ role: 'user', ...turn }], input: [{ role: 'user', ...turn }] };
      const body = { ...good, ...(isInTurn ? said : {}), ...more };
      expect(await findFault(() => send(`${app.current.url}${path}`, { body }))).toBeNull();
    }),
    { numRuns: 300 },
  );
});

test('calls with and without a payment refuse them', async () => {
  const offer = toOffer(await getChallenge(essay.url));
  const payload = await signOffer(makeAccount(), offer);
  const good = toEnvelope(2, offer, payload) as object;
  const header = fc
    .tuple(hostileMembers(envelopeNames), hostileMembers(envelopeNames), hostileMembers(envelopeNames), fc.boolean())
    .map(([envelope, given, authorization, isInner]) => {
      const inner = { ...payload, ...given, authorization: { ...payload.authorization, ...authorization } };
      return encodeHeader(isInner ? { ...good, payload: inner } : { ...good, ...envelope });
    });
  const text = hostileText(['topic', 'resourceId', 'input', 'version']);
  const execute = `${app.current.url}/api/execute`;
  const asked = fc.record({ payment: header, body: text, input: hostileJson(['topic']), isPaid: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(asked, async ({ payment, body, input, isPaid }) => {
      const paying = isPaid ? { payment } : {};
      const faults = [
        await findFault(() => send(essay.url, { ...paying, body })),
        await findFault(() => send(execute, { ...paying, body })),
        await findFault(() => send(execute, { ...paying, body: { resourceId: essay.id, input } })),
        await findFault(() => send(essay.url, { headers: { 'X-PAYMENT': payment }, body: { topic: 'rivers' } })),
      ];
      expect(faults).toEqual([null, null, null, null]);
    }),
    { numRuns: 200 },
  );
});
