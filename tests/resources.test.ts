import { expect, test } from 'vitest';
import { payFor, send } from './support/paid-request.ts';
import { useApp } from './support/start-app.ts';

const app = useApp();
const settings = { modelId: 'openai/gpt-4o-mini', maxTokens: 60 };

test('the life of a resource: draft, published, edited, published anew, paused, resumed, archived', async () => {
  const ada = await app.current.makeCreator('ada');
  const buyer = await app.current.makeBuyer();
  const draft = await ada.call('POST', '/api/resources', { kind: 'openrouter_instant', slug: 'essay' });
  expect(draft.body).toMatchObject({ state: 'draft', revision: 1, published: null });
  const path = `/api/resources/${String(draft.body['id'])}`;
  const url = `${app.current.url}/@ada/essay`;
  expect((await send(url)).status).toBe(404);
  const early = await ada.call('POST', `${path}/publish`, {});
  expect(early.status).toBe(422);
  const missing = (early.body['errors'] as { path: string }[]).map((error) => error.path);
  expect(missing).toEqual(expect.arrayContaining(['/name', '/priceUsdc', '/network', '/payTo', '/category']));

  const config = { ...settings, systemPrompt: 'Write about {topic}{/topic}.' };
  const complete = { name: 'Essay', category: 'ai', priceUsdc: '0.01', network: 'eip155:84532', payTo: ada.payTo };
  await ada.call('PATCH', path, { ...complete, config, parameters: [{ name: 'topic' }] });
  expect((await ada.call('POST', `${path}/publish`, {})).body).toMatchObject({
    state: 'published',
    published: { version: 1 },
  });
  const first = await send(url, { body: { topic: 'rivers' }, payment: await payFor(buyer, url) });
  expect(first.body['receipt']).toMatchObject({ version: 1, paidUsdc: '0.01' });

  const edited = await ada.call('PATCH', path, { priceUsdc: '0.03', name: 'Longer essay' });
  expect(edited.body).toMatchObject({
    hasUnpublishedChanges: true,
    published: { version: 1, priceUsdc: '0.01', name: 'Essay' },
  });
  const old = await payFor(buyer, url);
  await ada.call('POST', `${path}/publish`, {});
  const second = await send(url, { body: { topic: 'rivers' }, payment: await payFor(buyer, url) });
  expect(second.body['receipt']).toMatchObject({ version: 2, paidUsdc: '0.03' });
  const atOldPrice = await send(url, { body: { topic: 'rivers' }, payment: old });
  expect(atOldPrice.body['receipt']).toMatchObject({ paidUsdc: '0.01' });
  const versions = await ada.call('GET', `${path}/versions`);
  expect(versions.body['items']).toMatchObject([
    { version: 2, priceUsdc: '0.03', supersededAt: null },
    { version: 1, priceUsdc: '0.01' },
  ]);

  const late = await payFor(buyer, url);
  await ada.call('POST', `${path}/pause`, {});
  const paused = await send(url, { body: { topic: 'rivers' }, payment: late });
  expect(paused.body).toMatchObject({ status: 503, code: 'unavailable', charged: false });
  expect((await send(url)).headers.get('PAYMENT-REQUIRED')).toBeNull();
  await ada.call('POST', `${path}/resume`, {});
  expect((await send(url)).status).toBe(402);
  await ada.call('POST', `${path}/archive`, {});
  expect((await send(url, { body: { topic: 'rivers' }, payment: late })).body).toMatchObject({
    status: 410,
    charged: false,
  });
  expect((await ada.call('POST', '/api/resources', { kind: 'openrouter_instant', slug: 'essay' })).status).toBe(409);
  expect(await app.current.balanceOf(buyer.address)).toBe(9_950_000n);
});

test('a published slug moves only with the next version, and nobody inherits the old one', async () => {
  const bob = await app.current.makeCreator('bob');
  const { id } = await bob.publish({ slug: 'first' });
  const { url } = app.current;
  await bob.call('PATCH', `/api/resources/${id}`, { slug: 'second' });
  expect([(await send(`${url}/@bob/first`)).status, (await send(`${url}/@bob/second`)).status]).toEqual([402, 404]);
  await bob.call('POST', `/api/resources/${id}/publish`, {});
  expect((await send(`${url}/@bob/second`)).status).toBe(402);
  expect((await bob.call('POST', '/api/resources', { kind: 'openrouter_instant', slug: 'first' })).status).toBe(409);
  const other = await app.current.makeCreator('carol');
  await other.publish({ slug: 'first' });
  expect((await send(`${url}/@carol/first`)).status).toBe(402);
});

test('a resource with the price 0 is free: no payment, no settlement, the same answer', async () => {
  const dan = await app.current.makeCreator('dan');
  const { url, id } = await dan.publish({ slug: 'gift', priceUsdc: '0' });
  const { status, body, settlement } = await send(url, { body: { topic: 'rivers' } });
  expect([status, settlement]).toEqual([200, null]);
  expect(body).toMatchObject({ receipt: { paidUsdc: '0', transaction: null, payer: null } });
  const usage = await dan.call('GET', `/api/usage?resourceId=${id}`);
  expect(usage.body['items']).toMatchObject([{ isFree: true, earnedUsdc: '0' }]);
});

test('a template with faults is refused with the place of each: what can never be right with the save, the rest at publishing', async () => {
  const eve = await app.current.makeCreator('eve');
  const faulty = {
    kind: 'openrouter_instant',
    slug: 'faulty',
    name: 'Faulty',
    category: 'ai',
    priceUsdc: '0.01',
    network: 'eip155:84532',
    payTo: eve.payTo,
    parameters: [{ name: 'topic' }, { name: 'unused' }, { name: 'topic' }, { name: '9lives' }],
    config: { ...settings, systemPrompt: 'Dear {topic}{/topic},\nsay {word}{/word}\n{topic} {/topic} \\{kept}{/kept}' },
  };
  const refused = await eve.call('POST', '/api/resources', faulty);
  expect(refused.status).toBe(400);
  const shapes = toLines(refused.body['errors']);
  expect(shapes).toContainEqual(
    expect.stringMatching(/^\/config\/systemPrompt: Line 3, column 1: `\{topic\}` has no close tag/),
  );
  expect(shapes).toContainEqual(expect.stringMatching(/^\/parameters\/3\/name: A name starts with a letter/));

  const saved = await eve.call('POST', '/api/resources', {
    ...faulty,
    parameters: faulty.parameters.slice(0, 3),
    config: { ...settings, systemPrompt: 'Dear {topic}{/topic},\nsay {word}{/word} \\{kept}{/kept}' },
  });
  const { body } = await eve.call('POST', `/api/resources/${String(saved.body['id'])}/publish`, {});
  const errors = toLines(body['errors']);
  expect(toLines(saved.body['problems'])).toEqual(errors);
  for (const said of [
    /^\/config\/systemPrompt: Line 2, column 5: There is no parameter `word`/,
    /^\/parameters\/1: The parameter `unused` is used in no template/,
    /^\/parameters\/2\/name: The name `topic` is already used by parameter 1/,
  ]) {
    expect(errors).toContainEqual(expect.stringMatching(said));
  }
  expect([...shapes, ...errors].join()).not.toContain('kept');
});

function toLines(found: unknown): string[] {
  return (found as { path: string; message: string }[]).map(({ path, message }) => `${path}: ${message}`);
}

test('wrong parameters answer 400 with the place of each; the default of one that is missing reaches the prompt', async () => {
  const finn = await app.current.makeCreator('finn');
  const parameters = [
    { name: 'topic', minLength: 2, maxLength: 9, pattern: '^[a-z $&{}/]+$', example: 'rivers' },
    { name: 'lines', type: 'integer', minimum: 1, maximum: 5, default: 3 },
    { name: 'warmth', type: 'number', minimum: 0, maximum: 1, required: false },
    { name: 'loud', type: 'boolean', default: false },
    { name: 'season', type: 'enum', options: ['spring', 'winter'], default: 'winter' },
  ];
  const tags = parameters.map(({ name }) => `[{${name}}{/${name}}]`).join('');
  const { url } = await finn.publish({ slug: 'strict', parameters, config: { ...settings, systemPrompt: tags } });
  const buyer = await app.current.makeBuyer();
  const faults: [Record<string, unknown>, string, RegExp][] = [
    [{}, '/topic', /missing/],
    [{ topic: 'a' }, '/topic', /at least 2 characters/],
    [{ topic: 'abcdefghij' }, '/topic', /at most 9 characters/],
    [{ topic: 'ABC' }, '/topic', /match the pattern/],
    [{ topic: 'abc', lines: 2.5 }, '/lines', /an integer/],
    [{ topic: 'abc', lines: '3' }, '/lines', /an integer/],
    [{ topic: 'abc', lines: 6 }, '/lines', /at most 5/],
    [{ topic: 'abc', warmth: -0.1 }, '/warmth', /at least 0/],
    [{ topic: 'abc', loud: 'yes' }, '/loud', /a boolean/],
    [{ topic: 'abc', season: 'autumn' }, '/season', /one of "spring", "winter"/],
    [{ topic: 'abc', 'a/b': 1 }, '/a~1b', /not a parameter/],
  ];
  for (const [input, path, message] of faults) {
    const { body } = await send(url, { body: input, payment: await payFor(buyer, url) });
    expect(body).toMatchObject({ status: 400, code: 'invalid_input', charged: false, errors: [{ path }] });
    expect((body['errors'] as { message: string }[])[0]?.message).toMatch(message);
  }
  const paid = await send(url, {
    body: { topic: '$& {a}{/a', warmth: 0.5 },
    payment: await payFor(buyer, url),
  });
  expect(paid.status).toBe(200);
  const prompt = JSON.stringify(app.current.sandbox?.openRouter?.control.requests.at(-1)?.body);
  expect(prompt).toContain('[$& {a}{/a][3][0.5][false][winter]');
  expect(await app.current.balanceOf(buyer.address)).toBe(9_990_000n);
});
