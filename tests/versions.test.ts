import { expect, test } from 'vitest';
import { getChallenge, send, signFor, toOffer } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();

const input = { topic: 'rivers' };
const atNumber = (url: string, version: number) => `${url}@${version}`;

async function publishTwice(creator: Creator, slug: string, changes: Record<string, unknown>) {
  const { id, url } = await creator.publish({ slug, name: 'First' });
  await creator.call('PATCH', `/api/resources/${id}`, changes);
  const second = await creator.call('POST', `/api/resources/${id}/publish`, {});
  expect(second.status).toBe(200);
  return { id, url };
}

const priceOf = async (url: string) => toOffer(await getChallenge(url)).amountAtomic;

test('a buyer who names a version pays its price and gets its answer, whatever was published after it', async () => {
  const creator = await app.current.makeCreator('pins');
  const { id, url } = await publishTwice(creator, 'essay', { priceUsdc: '0.05' });
  expect([await priceOf(url), await priceOf(atNumber(url, 1)), await priceOf(atNumber(url, 2))]).toEqual([
    50_000n,
    10_000n,
    50_000n,
  ]);
  const required = await getChallenge(atNumber(url, 1));
  expect(required.resource.url).toBe(atNumber(url, 1));
  const buyer = await app.current.makeBuyer();
  const payment = await signFor(buyer, required);
  const answered = await send(atNumber(url, 1), { body: input, payment });
  expect(answered.body).toMatchObject({
    receipt: { version: 1, paidUsdc: '0.01', resource: atNumber(url, 1) },
  });
  const byId = await send(`${app.current.url}/api/execute`, { body: { resourceId: id, version: 1, input } });
  expect(byId.status).toBe(402);
});

test('a payment that has bought one version buys no other', async () => {
  const creator = await app.current.makeCreator('cheap');
  const { url } = await publishTwice(creator, 'essay', { priceUsdc: '0.05' });
  const buyer = await app.current.makeBuyer();
  const payment = await signFor(buyer, await getChallenge(atNumber(url, 1)));
  const first = await send(atNumber(url, 1), { body: input, payment });
  expect(first.status).toBe(200);
  const again = await send(url, { body: input, payment });
  expect(again).toMatchObject({ status: 409, body: { code: 'payment_in_use' } });
});

test('a withdrawn version is gone before any money moves, and comes back when its creator wants', async () => {
  const creator = await app.current.makeCreator('withdraws');
  const { id, url } = await publishTwice(creator, 'essay', { name: 'Second' });
  const buyer = await app.current.makeBuyer();
  const payment = await signFor(buyer, await getChallenge(atNumber(url, 1)));
  const change = (version: number, body: object) =>
    creator.call('PATCH', `/api/resources/${id}/versions/${version}`, body);
  expect((await change(1, { withdrawn: true })).body).toMatchObject({ version: 1, withdrawnAt: expect.any(String) });
  const refused = await send(atNumber(url, 1), { body: input, payment });
  expect(refused).toMatchObject({ status: 410, body: { code: 'gone', charged: false } });
  expect(await app.current.balanceOf(buyer.address)).toBe(10_000_000n);
  expect(await change(2, { withdrawn: true })).toMatchObject({ status: 409 });
  await change(1, { withdrawn: false });
  const sold = await send(atNumber(url, 1), { body: input, payment });
  expect(sold.status).toBe(200);
  await change(1, { withdrawn: true });
  expect((await creator.call('POST', `/api/resources/${id}/archive`, {})).status).toBe(200);
  const archived = { status: 410, body: { detail: 'This resource was archived by its creator.' } };
  for (const address of [url, atNumber(url, 1), atNumber(url, 2)]) {
    expect(await send(address, { body: input })).toMatchObject(archived);
  }
});

test('versions that pay an address which the creator has given up are withdrawn with the next publication', async () => {
  const creator = await app.current.makeCreator('moves');
  const { id, url } = await publishTwice(creator, 'essay', { payTo: (await app.current.makeBuyer()).address });
  expect(await send(atNumber(url, 1), { body: input })).toMatchObject({
    status: 410,
    body: { detail: 'This version is no longer offered by its creator.' },
  });
  const { body } = await send(`${app.current.url}/api/resources/${id}/versions`, { method: 'GET' });
  const [second] = body['items'] as { publishedAt: string }[];
  expect(body['items']).toMatchObject([{ withdrawnAt: null }, { withdrawnAt: second?.publishedAt }]);
  expect(await send(atNumber(url, 2), { body: input })).toMatchObject({ status: 402 });
});

test('no version of that number, and a number that is none, are told as such', async () => {
  const creator = await app.current.makeCreator('none');
  const { id, url } = await creator.publish({ slug: 'essay' });
  const unknown = { status: 404, body: { detail: 'This resource has no version 9; its latest is version 1.' } };
  expect(await send(atNumber(url, 9), { body: input })).toMatchObject(unknown);
  const execute = { body: { resourceId: id, version: 9, input } };
  expect(await send(`${app.current.url}/api/execute`, execute)).toMatchObject(unknown);
  expect(await send(`${url}@x`, { body: input })).toMatchObject({ status: 404 });
  const byId = await send(`${app.current.url}/api/execute`, { body: { resourceId: id, version: '1', input } });
  expect(byId).toMatchObject({ status: 400, body: { errors: [{ path: '/version' }] } });
});

test('a creator rolls back to an earlier version, which is published anew with its content', async () => {
  const creator = await app.current.makeCreator('back');
  const { id, url } = await publishTwice(creator, 'essay', { priceUsdc: '0.05', name: 'Second' });
  await creator.call('PATCH', `/api/resources/${id}`, { description: 'Half of an edit.' });
  const asked = { version: 1 };
  const kept = await creator.call('POST', `/api/resources/${id}/rollback`, asked);
  expect(kept).toMatchObject({ status: 409, body: { next: expect.stringContaining('discardsDraft') } });
  const done = await creator.call('POST', `/api/resources/${id}/rollback`, { ...asked, discardsDraft: true });
  expect(done).toMatchObject({
    status: 200,
    body: {
      hasUnpublishedChanges: false,
      draft: { name: 'First', priceUsdc: '0.01' },
      published: { version: 3, name: 'First', priceUsdc: '0.01' },
    },
  });
  expect(await priceOf(url)).toBe(10_000n);
  const same = await creator.call('POST', `/api/resources/${id}/rollback`, { version: 3 });
  expect(same).toMatchObject({ status: 409, body: { detail: expect.stringContaining('Nothing has changed') } });
});

test('a version that pays an address which the creator has given up is rolled back to only where that is meant', async () => {
  const creator = await app.current.makeCreator('former');
  const { id } = await publishTwice(creator, 'essay', { payTo: (await app.current.makeBuyer()).address });
  const asked = { version: 1 };
  const refused = await creator.call('POST', `/api/resources/${id}/rollback`, asked);
  expect(refused).toMatchObject({ status: 409, body: { next: expect.stringContaining('paysFormerAddress') } });
  const meant = await creator.call('POST', `/api/resources/${id}/rollback`, { ...asked, paysFormerAddress: true });
  expect(meant).toMatchObject({ status: 200, body: { published: { version: 3 } } });
});

test('numbers that no version can have are refused, not failed on', async () => {
  const creator = await app.current.makeCreator('numbers');
  const { id } = await creator.publish({ slug: 'essay' });
  for (const path of ['99999999999', '99999999999/diff', '1/diff?against=99999999999']) {
    expect(await creator.call('GET', `/api/resources/${id}/versions/${path}`)).toMatchObject({ status: 400 });
  }
});

test('the creator sees what a version changed in the prompt, everybody else only what is public', async () => {
  const creator = await app.current.makeCreator('differs');
  const { id } = await creator.publish({ slug: 'essay', name: 'First' });
  const { body } = await creator.call('GET', `/api/resources/${id}`);
  const { config } = body['draft'] as { config: Record<string, unknown> };
  const canary = 'canary-in-the-prompt {topic}{/topic}';
  await creator.call('PATCH', `/api/resources/${id}`, { name: 'Second', config: { ...config, systemPrompt: canary } });
  await creator.call('POST', `/api/resources/${id}/publish`, {});
  const own = await creator.call('GET', `/api/resources/${id}/versions/2/diff`);
  expect(own.body).toMatchObject({ from: 1, to: 2 });
  expect(own.body['changes']).toContainEqual({ op: 'replace', path: '/name', before: 'First', after: 'Second' });
  expect(JSON.stringify(own.body)).toContain('canary-in-the-prompt');
  const stranger = await send(`${app.current.url}/api/resources/${id}/versions/2/diff`, { method: 'GET' });
  expect(stranger.body['changes']).toEqual([{ op: 'replace', path: '/name', before: 'First', after: 'Second' }]);
  expect(JSON.stringify(stranger.body)).not.toContain('canary');
  const outputSchema = { type: 'object', properties: { title: { type: 'string' } }, required: ['title'] };
  await creator.call('PATCH', `/api/resources/${id}`, {
    mediaRetentionSeconds: 3_600,
    config: { ...config, outputSchema },
  });
  expect((await creator.call('POST', `/api/resources/${id}/publish`, {})).status).toBe(200);
  const promised = await send(`${app.current.url}/api/resources/${id}/versions/3/diff`, { method: 'GET' });
  expect(promised.body['changes']).toEqual([
    { op: 'replace', path: '/mediaRetentionSeconds', before: 604_800, after: 3_600 },
    { op: 'replace', path: '/outputSchema', before: null, after: expect.objectContaining(outputSchema) },
  ]);
  const draft = await send(`${app.current.url}/api/resources/${id}/versions/2/diff?against=draft`, { method: 'GET' });
  expect(draft).toMatchObject({ status: 403 });
  const all = await send(`${app.current.url}/api/resources/${id}/versions`, { method: 'GET' });
  expect(all.body['items']).toMatchObject([
    { version: 3 },
    { version: 2 },
    { version: 1, url: expect.stringContaining('@1') },
  ]);
});

test('a label stands for one version of a resource at a time, and only its creator sets it', async () => {
  const creator = await app.current.makeCreator('labels');
  const { id } = await publishTwice(creator, 'essay', { name: 'Second' });
  const change = (version: number, body: object) =>
    creator.call('PATCH', `/api/resources/${id}/versions/${version}`, body);
  await change(1, { label: 'stable' });
  await change(2, { label: 'stable' });
  const { body } = await creator.call('GET', `/api/resources/${id}/versions`);
  expect(body['items']).toMatchObject([
    { version: 2, label: 'stable' },
    { version: 1, label: null },
  ]);
  const other = await app.current.makeCreator('other');
  expect(await other.call('PATCH', `/api/resources/${id}/versions/2`, { label: 'mine' })).toMatchObject({
    status: 404,
  });
  expect(await other.call('POST', `/api/resources/${id}/rollback`, { version: 1 })).toMatchObject({ status: 404 });
});
