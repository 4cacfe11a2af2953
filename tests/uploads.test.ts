import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PNG } from 'pngjs';
import { expect, test } from 'vitest';
import { useApp } from './support/start-app.ts';

/* One MB an upload, one MB a sender at one time, ten MB in all; each test comes from addresses of its own. */
const app = useApp({ TRUSTED_PROXY_HOPS: '1', UPLOAD_MAX_MB: '1', UPLOADS_TOTAL_MB: '10' });
const CANARY = 'canary-in-an-upload-Nobody-Reads-This';
const png = PNG.sync.write(new PNG({ width: 7, height: 5 }));
const text = Buffer.from(`${CANARY}\n`);

interface Uploaded {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

async function upload(
  bytes: Buffer | ReadableStream<Uint8Array>,
  from: string,
  contentType?: string,
): Promise<Uploaded> {
  const response = await fetch(`${app.current.url}/api/uploads`, {
    method: 'POST',
    headers: { 'X-Forwarded-For': from, ...(contentType === undefined ? {} : { 'Content-Type': contentType }) },
    body: bytes instanceof Buffer ? new Uint8Array(bytes) : bytes,
    duplex: 'half',
  });
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, headers: response.headers, body };
}

test('anybody uploads a file, and is told its random id, its type by its bytes and its hash', async () => {
  const sent = await upload(png, '192.0.2.1', 'text/html');
  expect(sent.status).toBe(201);
  expect(sent.headers.get('cache-control')).toBe('no-store');
  expect(sent.body).toEqual({
    id: expect.stringMatching(/^[\w-]{32}$/),
    contentType: 'image/png',
    kind: 'image',
    sizeBytes: png.length,
    sha256: createHash('sha256').update(png).digest('hex'),
    expiresAt: expect.any(String),
  });
  expect(Math.abs(Date.parse(String(sent.body['expiresAt'])) - Date.now() - 3_600_000)).toBeLessThan(60_000);
  const again = await upload(png, '192.0.2.1');
  expect(again.body['id']).not.toBe(sent.body['id']);
});

test('uploads are not listed and not given back', async () => {
  const { body } = await upload(png, '192.0.2.2');
  const statuses = await Promise.all(
    ['', `/${String(body['id'])}`].map(async (path) => (await fetch(`${app.current.url}/api/uploads${path}`)).status),
  );
  expect(statuses).toEqual([405, 404]);
  expect((await fetch(`${app.current.url}/api/media/${String(body['id'])}`)).status).toBe(404);
});

test('text is taken as what it is said to be, and nothing of it is logged', async () => {
  const sent = await upload(text, '192.0.2.3', 'text/plain; charset=utf-8');
  expect(sent.body).toMatchObject({ kind: 'file', contentType: 'text/plain' });
  expect(app.current.logged.join('\n')).not.toContain(CANARY);
  expect(app.current.logged.join('\n')).not.toContain(String(sent.body['id']));
});

const unprocessable = { status: 422, body: { code: 'unprocessable' } };
const unsupported = { status: 415, body: { code: 'unsupported_media_type' } };

test.each<[string, [Buffer, string, string], object]>([
  ['nothing', [Buffer.alloc(0), '192.0.2.10', 'image/png'], unprocessable],
  ['a page', [Buffer.from('<!doctype html><script>1</script>'), '192.0.2.11', 'text/plain'], unprocessable],
  [
    'a vector picture',
    [Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), '192.0.2.12', 'image/png'],
    unprocessable,
  ],
  [
    'JSON that is cut off',
    [Buffer.from('{"a":'), '192.0.2.14', 'application/json'],
    { status: 422, body: { code: 'unprocessable', detail: expect.stringContaining('is not valid JSON') as string } },
  ],
  ['a page that is called JSON', [Buffer.from('<p>1'), '192.0.2.15', 'application/json'], unprocessable],
  ['a form', [png, '192.0.2.13', 'multipart/form-data; boundary=x'], unsupported],
])('an upload of %s is refused', async (_name, sent, refusal) => {
  expect(await upload(...sent)).toMatchObject(refusal);
});

function open(from: string, headers: readonly string[]): Socket {
  const { hostname, port } = new URL(app.current.url);
  const socket = connect(Number(port), hostname);
  const lines = ['POST /api/uploads HTTP/1.1', `Host: ${hostname}`, `X-Forwarded-For: ${from}`, ...headers, '', ''];
  socket.on('error', () => {});
  socket.write(lines.join('\r\n'));
  return socket;
}

async function readStatus(socket: Socket): Promise<number> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1'))?.[1]);
}

test('an upload that says that it is too large is refused before a byte of it is sent', async () => {
  const socket = open('192.0.2.20', ['Content-Length: 1000001', 'Content-Type: image/png']);
  expect(await readStatus(socket)).toBe(413);
  socket.destroy();
});

test('an upload in chunks is cut off where it becomes too large', async () => {
  const socket = open('192.0.2.21', ['Transfer-Encoding: chunked', 'Content-Type: image/png']);
  const status = readStatus(socket);
  for (let sent = 0; sent < 2_000_000 && socket.writable; sent += 100_000) {
    const chunk = sent === 0 ? Buffer.concat([png, randomBytes(100_000 - png.length)]) : randomBytes(100_000);
    socket.write(`${chunk.length.toString(16)}\r\n`);
    socket.write(chunk);
    socket.write('\r\n');
    await new Promise(setImmediate);
  }
  expect(await status).toBe(413);
  socket.destroy();
});

test('what has begun counts: a sender who begins many uploads at once gets no more than the share of one', async () => {
  const first = open('192.0.2.30', ['Transfer-Encoding: chunked', 'Content-Type: image/png']);
  await untilReceiving(1);
  const second = await upload(png, '192.0.2.30');
  expect(second).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await upload(png, '192.0.2.31')).status).toBe(201);
  first.destroy();
  await untilReceiving(0);
  expect((await upload(png, '192.0.2.30')).status).toBe(201);
});

test('one network sends sixty an hour', async () => {
  const statuses: number[] = [];
  for (let sent = 0; sent < 62; sent += 1) {
    statuses.push((await upload(Buffer.from('no file'), `2001:db8:7:7::${sent.toString(16)}`)).status);
  }
  expect(statuses).toEqual([...Array<number>(60).fill(422), 429, 429]);
});

/** Waits until so many uploads are being received. */
async function untilReceiving(count: number): Promise<void> {
  await expect
    .poll(async () => {
      const sql = 'SELECT 1 FROM media_uploads WHERE object_id IS NULL';
      return (await app.current.database.system.query(sql)).rowCount;
    })
    .toBe(count);
}
