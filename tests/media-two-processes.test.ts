import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '#kit/index.ts';
import { openMedia } from '#media/index.ts';
import { openS3 } from '#upstreams/index.ts';
import { openS3Server, type S3Server } from './support/open-s3-server.ts';
import type { ServerChild } from './support/server-child.ts';
import { payFor, send as sendAny } from './support/paid-request.ts';
import { send, useWorld } from './support/server-world.ts';

/* Two servers, processes of their own, each with a data folder of its own: they share PostgreSQL and an object store. */
const world = useWorld();
let s3: S3Server;
const folders: string[] = [];
const servers: ServerChild[] = [];
const png = PNG.sync.write(new PNG({ width: 7, height: 5 }));

beforeAll(async () => {
  s3 = await openS3Server();
  const made = [await makeFolder(), await makeFolder()];
  servers.push(...(await Promise.all(made.map(startServer))));
});
afterAll(async () => {
  await s3.close();
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true })));
});

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-own-'));
  folders.push(folder);
  return folder;
}

function startServer(folder: string): Promise<ServerChild> {
  return world.current.startServer({ ...s3.environment, DATA_DIR: folder });
}

/** The same path on the other server. */
const on = (server: ServerChild | undefined, url: string): string => {
  const { pathname, search } = new URL(url);
  return `${server?.url}${pathname}${search}`;
};

test('a picture that one process has made is served by the other, whole and in parts, without a shared folder', async () => {
  const [one, other] = servers;
  const creator = await world.current.makeCreator(one as ServerChild, 'painter');
  const { url } = await creator.publish({
    slug: 'postcard',
    priceUsdc: '0.30',
    category: 'media',
    config: { modelId: 'google/gemini-2.5-flash-image', systemPrompt: 'Paint {topic}{/topic}.', maxTokens: 4096 },
  });
  const bought = await send(url, await world.current.makeBuyer(url, 'a harbour'));
  expect(bought).toMatchObject({ status: 200 });
  const [image] = (bought?.body['images'] ?? []) as { url: string; sizeBytes: number; sha256: string }[];
  const here = Buffer.from(await (await fetch(on(one, image?.url ?? ''))).arrayBuffer());
  const there = await fetch(on(other, image?.url ?? ''));
  expect(there.headers.get('etag')).toBe(`"${image?.sha256}"`);
  expect(Buffer.from(await there.arrayBuffer()).equals(here)).toBe(true);
  expect(here.length).toBe(image?.sizeBytes);
  const part = await fetch(on(other, image?.url ?? ''), { headers: { Range: 'bytes=-100' } });
  expect(part.status).toBe(206);
  expect(Buffer.from(await part.arrayBuffer()).equals(here.subarray(-100))).toBe(true);
  expect((await fetch(on(other, image?.url ?? ''), { method: 'HEAD' })).headers.get('content-length')).toBe(
    String(here.length),
  );
  for (const folder of folders) {
    const names = await readdir(folder, { recursive: true });
    expect(names.filter((name) => name.includes(image?.sha256 ?? ''))).toEqual([]);
    expect(names.filter((name) => name.startsWith('media/incoming/'))).toEqual([]);
  }
});

test('what was uploaded at one is what a call at the other sends to its model', async () => {
  const [one, other] = servers;
  const creator = await world.current.makeCreator(one as ServerChild, 'reader');
  await creator.publish({
    slug: 'picture',
    priceUsdc: '0.05',
    parameters: [{ name: 'it', type: 'image' }],
    config: { modelId: 'google/gemini-2.5-flash', systemPrompt: 'Say what this is.', maxTokens: 50 },
  });
  const uploaded = await fetch(`${one?.url}/api/uploads`, { method: 'POST', body: new Uint8Array(png) });
  const { id } = (await uploaded.json()) as { id: string };
  const url = `${other?.url}/@reader/picture`;
  const { account } = await world.current.makeBuyer(url, 'x');
  const bought = await sendAny(url, { payment: await payFor(account, url), body: { it: `upload:${id}` } });
  expect(bought).toMatchObject({ status: 200, body: { receipt: { paidUsdc: '0.05' } } });
  expect(JSON.stringify(world.current.simulator.control.requests.at(-1)?.body)).toContain(png.toString('base64'));
  const unknown = await sendAny(url, { payment: await payFor(account, url), body: { it: `upload:${'a'.repeat(32)}` } });
  expect(unknown).toMatchObject({ body: { charged: false, errors: [{ path: '/it' }] } });
  expect(await world.current.chain.current.balanceAtomic(account.address)).toBe(9_950_000n);
});

test('kill -9 in the middle of an upload leaves nothing, and the store is as usable as before', async () => {
  const [survivor] = servers;
  const folder = await makeFolder();
  const victim = await startServer(folder);
  const { hostname, port } = new URL(victim.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write(`POST /api/uploads HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: 5000000\r\n\r\n`);
  socket.write(png);
  const incoming = join(folder, 'media', 'incoming');
  await expect.poll(() => readdir(incoming)).toHaveLength(1);
  const held = () => world.current.database.system.query<{ bytes: string }>('SELECT bytes FROM media_uploads');
  expect((await held()).rows).toContainEqual({ bytes: '5000000' });
  await Promise.all([victim.kill(), once(socket, 'close')]);
  const whole = await fetch(`${survivor?.url}/api/uploads`, { method: 'POST', body: new Uint8Array(png) });
  expect(whole.status).toBe(201);
  const again = await startServer(folder);
  const next = await fetch(`${again.url}/api/uploads`, { method: 'POST', body: new Uint8Array(png) });
  expect(next.status).toBe(201);
  await again.stop();

  // Some hours later, as the jobs of the two data folders do it.
  const client = openS3(s3.options);
  const clock = { now: () => systemClock.now() + 3 * 3_600_000 };
  for (const own of folders) {
    const shared = {
      database: world.current.database,
      signingKey: Buffer.alloc(32),
      publicUrl: 'https://f.example',
      clock,
    };
    const media = openMedia({ ...shared, folder: join(own, 'media'), s3: client });
    await media.expire();
    await media.sweep();
  }
  await client.close();
  expect((await held()).rows).toEqual([]);
  expect(await readdir(incoming)).toEqual([]);
  const { rows } = await world.current.database.system.query(
    `SELECT 1 FROM media_objects o WHERE NOT EXISTS (SELECT 1 FROM x402_cached_images i WHERE i.object_id = o.id)`,
  );
  expect(rows).toEqual([]);
});
