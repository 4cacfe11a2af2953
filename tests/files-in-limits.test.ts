import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePdf, makePng, makeWav, toDataUrl } from './support/files.ts';
import { payFor, send } from './support/paid-request.ts';
import { readTables } from './support/read-tables.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { openFileWorld } from './support/world-of-files.ts';

const world = await openFileWorld();
afterAll(() => world.stop());
const app = useApp({ OPENROUTER_BASE_URL: world.openRouterUrl });
const image = { name: 'photo', type: 'image' };
const png = makePng(30, 20);
let creator: Creator;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada', { openRouterKey: world.key });
});

const draft = (fields: object) => ({
  slug: 'any',
  priceUsdc: '0.05',
  parameters: [image],
  config: { modelId: 'google/gemini-2.5-flash', systemPrompt: 'Say what this is.', maxTokens: 50 },
  ...fields,
});

async function pay(url: string) {
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const spent = async () => 10_000_000n - (await app.current.balanceOf(buyer.address));
  return { payment, spent, send: (body: object) => send(url, { payment, body }) };
}

describe('before money moves', () => {
  let url: string;
  beforeAll(async () => {
    url = (
      await creator.publish(draft({ slug: 'strict', parameters: [{ ...image, maxPixels: 600, maxBytes: 9_000 }] }))
    ).url;
  });

  test.each([
    ['http on another host', 'http://files.example/a.png', 'Only https URLs are called'],
    ['this machine', 'https://127.0.0.1/a.png', 'Only hosts on the public internet'],
    ['the metadata of a cloud', 'https://169.254.169.254/latest/meta-data', 'Only hosts on the public internet'],
    ['a local name', 'https://metadata.google.internal/', 'Only hosts on the public internet'],
    ['another port', 'https://files.example:22/a.png', 'Only the ports 443 and 8443'],
    ['a user name', 'https://me:secret-word@files.example/', 'must not hold a user name'],
    ['a file of this server', 'file:///etc/passwd', 'must be an https URL'],
    ['an upload that is not here', `upload:${'a'.repeat(40)}`, 'names an upload that is not here'],
    ['a data URL without base64', 'data:image/png,%89PNG', 'must be an https URL'],
    ['plain text', 'a photo of mine', 'must be an https URL'],
  ])('%s is refused by name, and the payment stays free', async (_name, photo, says) => {
    const paying = await pay(url);
    const refused = await paying.send({ photo });
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_input', charged: false } });
    expect(refused.body['errors']).toEqual([{ path: '/photo', message: expect.stringContaining(says) }]);
    expect(JSON.stringify(refused.body)).not.toContain('secret-word');
    expect(await paying.send({ photo: toDataUrl('image/png', png) })).toMatchObject({ status: 200 });
    expect(await paying.spent()).toBe(50_000n);
  });

  test.each([
    ['more pixels, fetched', () => world.serve('wide', makePng(601, 1)), 'has 601 pixels, and at most 600 are taken'],
    [
      'a part only, fetched',
      () => world.serve('cut', png.subarray(0, 40)),
      'is cut off: the end of the PNG is missing',
    ],
    ['more bytes, fetched', () => world.serve('long', Buffer.alloc(9_001)), 'it has more than 9000 bytes'],
    ['nothing there', () => `${world.openRouterUrl.replace('/api/v1', '')}/files/none`, 'answered with status 404'],
  ])('%s: the call ends uncharged, and the payment buys another one', async (_name, photo, says) => {
    const paying = await pay(url);
    const refused = await paying.send({ photo: photo() });
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_input', charged: false } });
    expect(refused.body['errors']).toEqual([{ path: '/photo', message: expect.stringContaining(says) }]);
    expect(await paying.spent()).toBe(0n);
    expect(await paying.send({ photo: toDataUrl('image/png', png) })).toMatchObject({ status: 200 });
  });

  test('who does not pay has nothing fetched', async () => {
    const photo = world.serve('unpaid', png);
    expect((await send(url, { body: { photo } })).status).toBe(402);
    const paying = await pay(url);
    const forged = `${paying.payment.slice(0, -40)}${'A'.repeat(40)}`;
    expect((await send(url, { payment: forged, body: { photo } })).status).not.toBe(200);
    expect(world.fetched).not.toContain('unpaid');
  });

  test('a wallet whose files cannot be used waits after some, and has nothing fetched meanwhile', async () => {
    const buyer = await app.current.makeBuyer();
    const photo = world.serve('useless', makeWav());
    const codes: unknown[] = [];
    while (codes.at(-1) !== 'rate_limited' && codes.length < 50) {
      const { body } = await send(url, { payment: await payFor(buyer, url), body: { photo } });
      codes.push(body['code']);
    }
    expect(codes.at(-1)).toBe('rate_limited');
    expect(new Set(codes.slice(0, -1))).toEqual(new Set(['invalid_input']));
    expect(world.fetched.filter((name) => name === 'useless')).toHaveLength(codes.length - 1);
  });

  test('a body is as large as the files of the version, and no larger', async () => {
    const tooMuch = { photo: toDataUrl('image/png', Buffer.alloc(300_000)) };
    const paying = await pay(url);
    expect(await paying.send(tooMuch)).toMatchObject({ status: 413, body: { charged: false } });
    const { url: roomy } = await creator.publish(draft({ slug: 'roomy' }));
    const large = Buffer.concat([png, Buffer.alloc(3_000_000)]);
    const other = await pay(roomy);
    expect(await other.send({ photo: toDataUrl('image/png', large) })).toMatchObject({ status: 200 });
    expect(await other.spent()).toBe(50_000n);
  });
});

describe('publishing', () => {
  test('a file that the model does not read is refused with the names of parameter and model', async () => {
    const config = { modelId: 'aion-labs/aion-2.0', systemPrompt: 'Hi.', maxTokens: 50 };
    const { body } = await creator.call('POST', '/api/resources', {
      ...draft({ slug: 'blind', config }),
      kind: 'openrouter_instant',
      name: 'Blind',
    });
    const refused = await creator.call('POST', `/api/resources/${String(body['id'])}/publish`, {});
    expect(refused.status).toBe(422);
    const message = expect.stringMatching(/aion-labs\/aion-2\.0 does not read image input, which `photo` is/) as string;
    expect(refused.body['errors']).toContainEqual({ path: '/parameters/0/type', message });
  });

  test('a PDF is read for every model, and by the model itself only where it can', async () => {
    const parameters = [{ name: 'paper', type: 'pdf' }];
    const config = { modelId: 'aion-labs/aion-2.0', systemPrompt: 'Sum up.', maxTokens: 2000 };
    const { url } = await creator.publish(draft({ slug: 'paper', parameters, priceUsdc: '2', config }));
    const paying = await pay(url);
    expect(await paying.send({ paper: toDataUrl('application/pdf', makePdf(2)) })).toMatchObject({ status: 200 });
    const native = draft({ slug: 'native', parameters, config: { ...config, pdfEngine: 'native' } });
    await expect(creator.publish(native)).rejects.toThrow('does not read file input');
  });

  test('an upstream of which nothing is known gets the files that its creator says it takes', async () => {
    const upstream = { type: 'chat_completions', baseUrl: world.openRouterUrl };
    const config = { model: 'openai/gpt-4o-mini', systemPrompt: 'Say what this is.', upstream, maxTokens: 50 };
    const kind = 'prompt_template';
    await expect(creator.publish(draft({ slug: 'undeclared', kind, config }))).rejects.toThrow('acceptsMedia');
    const made = await creator.call('POST', '/api/resources', {
      ...draft({ slug: 'declared', kind, config: { ...config, acceptsMedia: ['image'] } }),
      name: 'Declared',
      description: 'A resource of a test.',
      category: 'ai',
      network: 'eip155:84532',
      payTo: creator.payTo,
    });
    const id = String(made.body['id']);
    await creator.call('PUT', `/api/resources/${id}/secrets/upstream_api_key`, { value: world.key });
    expect((await creator.call('POST', `/api/resources/${id}/publish`, {})).status).toBe(200);
    const paying = await pay(`${app.current.url}/@ada/declared`);
    expect(await paying.send({ photo: toDataUrl('image/png', png) })).toMatchObject({ status: 200 });
    expect(world.chats.at(-1)?.messages[0]?.content).toContainEqual({
      type: 'image_url',
      image_url: { url: toDataUrl('image/png', png) },
    });
  });
});

test('a model that reads no pictures any more takes its resource off sale before the next payment', async () => {
  const { url } = await creator.publish(draft({ slug: 'changing' }));
  const paying = await pay(url);
  await app.current.database.system.query(
    `UPDATE ai_models SET input_modalities = '{text}' WHERE openrouter_id = 'google/gemini-2.5-flash'`,
  );
  try {
    await app.current.database.system.query(`SELECT pg_notify('models_changed', '')`);
    await expect.poll(async () => (await paying.send({ photo: toDataUrl('image/png', png) })).status).toBe(503);
    expect(await paying.spent()).toBe(0n);
  } finally {
    await app.current.database.system.query(
      `UPDATE ai_models SET input_modalities = '{text,image,file,audio,video}' WHERE openrouter_id = 'google/gemini-2.5-flash'`,
    );
    await app.current.database.system.query(`SELECT pg_notify('models_changed', '')`);
  }
});

describe('a prompt', () => {
  test('has each file where its tag stands, files of the system prompt in front, and those without a tag behind', async () => {
    const parameters = ['first', 'second', 'third'].map((name) => ({ name, type: 'image' }));
    const config = {
      modelId: 'google/gemini-2.5-flash',
      systemPrompt: 'Compare with {first}{/first}.',
      userMessage: 'Is {second}{/second} alike? Again: {second}{/second}.',
      maxTokens: 50,
    };
    const { url } = await creator.publish(draft({ slug: 'three', parameters, config, priceUsdc: '0.2' }));
    const [first, second, third] = [1, 2, 3].map((width) => toDataUrl('image/png', makePng(width, 1)));
    const paying = await pay(url);
    expect((await paying.send({ first, second, third })).status).toBe(200);
    const part = (dataUrl = '') => ({ type: 'image_url', image_url: { url: dataUrl } });
    const text = (words: string) => ({ type: 'text', text: words });
    expect(world.chats.at(-1)?.messages).toEqual([
      { role: 'system', content: 'Compare with [first].' },
      {
        role: 'user',
        content: [
          text('[first]: '),
          part(first),
          text('Is '),
          part(second),
          text(' alike? Again: [second].'),
          part(third),
        ],
      },
    ]);
  });

  test('names its PDF engine where there is a PDF', async () => {
    const parameters = [{ name: 'paper', type: 'pdf', required: false }];
    const config = { modelId: 'google/gemini-2.5-flash', systemPrompt: 'Hi.', maxTokens: 50, pdfEngine: 'mistral-ocr' };
    const { url } = await creator.publish(draft({ slug: 'scanned', parameters, config, priceUsdc: '1' }));
    const paper = toDataUrl('application/pdf', makePdf(2));
    expect((await (await pay(url)).send({ paper })).status).toBe(200);
    expect(world.chats.at(-1)?.plugins).toEqual([{ id: 'file-parser', pdf: { engine: 'mistral-ocr' } }]);
    expect((await (await pay(url)).send({})).status).toBe(200);
    expect(world.chats.at(-1)?.plugins).toBeUndefined();
  });
});

test('a free resource, a test of its owner and a trial of its draft take files too', async () => {
  const { id, url } = await creator.publish(draft({ slug: 'free', priceUsdc: '0' }));
  const photo = toDataUrl('image/png', png);
  expect(await send(url, { body: { photo } })).toMatchObject({ status: 200 });
  expect(await send(url, { body: { photo: world.serve('free', makeWav()) } })).toMatchObject({ status: 400 });
  const headers = { 'X-Owner-Test': 'true', Origin: app.current.url };
  expect(await send(url, { body: { photo }, cookie: creator.cookie, headers })).toMatchObject({ status: 200 });
  const tried = await creator.call('POST', `/api/resources/${id}/test`, { input: { photo } });
  expect(tried).toMatchObject({ status: 200, body: { ok: true, prompt: [{ role: 'user' }] } });
  expect(JSON.stringify(tried.body['prompt'])).toContain('[image photo]');
  const wrong = await creator.call('POST', `/api/resources/${id}/test`, { input: { photo: 'https://127.0.0.1/' } });
  expect(wrong).toMatchObject({ status: 400, body: { errors: [{ path: '/input/photo' }] } });
});

test('what a picture and its URL hold stands in no table and no line of the log, and is gone once it was answered', async () => {
  const { url } = await creator.publish(draft({ slug: 'secret' }));
  const canary = 'canary-in-the-picture-Lighthouse';
  const secret = makePng(8, 8, canary);
  const name = 'canary-in-the-url-Harbour';
  expect((await (await pay(url)).send({ photo: toDataUrl('image/png', secret) })).status).toBe(200);
  expect((await (await pay(url)).send({ photo: world.serve(name, secret) })).status).toBe(200);
  expect((await (await pay(url)).send({ photo: world.serve(`${name}-not`, makeWav()) })).status).toBe(400);
  world.simulator.control.fail('ok_null_content', { times: 9 });
  expect((await (await pay(url)).send({ photo: world.serve(name, secret) })).status).toBe(502);
  world.simulator.control.clearFaults();
  const tables = JSON.stringify([...(await readTables(app.current.databaseUrl))]);
  const base64 = secret.toString('base64').slice(-60, -8);
  for (const text of [canary, Buffer.from(canary).toString('hex'), base64, name]) {
    expect(tables).not.toContain(text);
    expect(app.current.logged.join('\n')).not.toContain(text);
  }
  const count = async () => {
    const { rows } = await app.current.database.system.query('SELECT id FROM media_inputs');
    const left = await readdir(join(app.current.folder, 'media'), { recursive: true, withFileTypes: true });
    return [rows.length, left.filter((entry) => entry.isFile()).length];
  };
  // No answer waits for it.
  await expect.poll(count).toEqual([0, 0]);
});

test('a paid call that failed is run again with the very bytes, whatever its URL serves by then', async () => {
  const { url } = await creator.publish(draft({ slug: 'prepaid', settlementPoint: 'upfront' }));
  const photo = world.serve('changing', png);
  world.simulator.control.fail('ok_null_content', { times: 9 });
  const paying = await pay(url);
  expect(await paying.send({ photo })).toMatchObject({ status: 503, body: { code: 'answer_owed', charged: true } });
  const { rows } = await app.current.database.system.query<{ input: string }>(
    `SELECT input::text AS input FROM calls WHERE state = 'owed'`,
  );
  expect(rows).toHaveLength(1);
  expect(rows[0]?.input).toContain('"kind"');
  expect(rows[0]?.input).not.toContain('base64');
  expect(rows[0]?.input).not.toContain('/files/');
  world.serve('changing', makePng(1, 1));
  world.simulator.control.clearFaults();
  await expect.poll(async () => (await paying.send({ photo })).status, { timeout: 30_000, interval: 200 }).toBe(200);
  expect(world.fetched.filter((name) => name === 'changing')).toHaveLength(1);
  expect(world.chats.at(-1)?.messages[0]?.content).toContainEqual({
    type: 'image_url',
    image_url: { url: toDataUrl('image/png', png) },
  });
  expect(await paying.spent()).toBe(50_000n);
});
