import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from 'vitest';
import { jsonHeaders, signedIn, toyOptions } from '../../tests/support/toy-app.ts';
import { openMetrics } from './open-metrics.ts';
import type { ServerOptions } from './server-options.ts';
import { startServer, type RunningServer } from './start-server.ts';

const running: RunningServer[] = [];

async function start(changes: Partial<ServerOptions> = {}) {
  const { options, state } = toyOptions(changes);
  const server = await startServer(options);
  running.push(server);
  return { ...server, state };
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

/** Sends bytes as they are and returns everything that comes back. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  return text(socket);
}

test('serves operations over HTTP', async () => {
  const { url, state } = await start();
  const made = await fetch(`${url}/api/notes`, { method: 'POST', headers: signedIn, body: '{"title":"x"}' });
  expect([made.status, state.notes.length]).toEqual([201, 1]);
  const head = await fetch(`${url}/api/notes`, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});

test('offers the paid paths to the paid route first, and only those', async () => {
  const seen: string[] = [];
  const { url } = await start({
    paidRoute: async (req, res) => {
      seen.push(req.url ?? '');
      if (req.url === '/@demo/gone') {
        return false;
      }
      res.writeHead(402).end('pay');
      return true;
    },
  });
  const status = async (path: string): Promise<number> => (await fetch(url + path)).status;
  expect(await status('/@demo/haiku')).toBe(402);
  expect(await status('/%40demo/haiku')).toBe(402);
  expect(await status('/api/execute?x=1')).toBe(402);
  expect(await status('/@demo/gone')).toBe(404);
  expect(await status('/api/executed')).toBe(404);
  expect(await status('/api/notes')).toBe(200);
  expect(seen).toEqual(['/@demo/haiku', '/%40demo/haiku', '/api/execute?x=1', '/@demo/gone']);
});

test('a paid route that throws is answered, logged and not leaked', async () => {
  const { url, state } = await start({ paidRoute: () => Promise.reject(new Error('canary')) });
  const response = await fetch(`${url}/@demo/haiku`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('canary');
  expect(state.logged).toHaveLength(1);
});

test('closing refuses new connections, finishes the request under way and then ends its connection', async () => {
  const gate = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const { url, close } = await start({
    paidRoute: async (_req, res) => {
      arrived.resolve();
      await gate.promise;
      res.end('the paid answer');
      return true;
    },
  });
  const idle = await fetch(`${url}/healthz`);
  await idle.text();
  const underWay = fetch(`${url}/@demo/haiku`);
  await arrived.promise;
  const closed = close();
  await expect(fetch(`${url}/healthz`)).rejects.toThrow('fetch failed');
  gate.resolve();
  const answer = await underWay;
  expect([answer.headers.get('connection'), await answer.text()]).toEqual(['close', 'the paid answer']);
  await closed;
});

test('closing answers 503 with Retry-After to what comes on an open connection, and lets nothing of it be run', async () => {
  const gate = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<IncomingMessage['socket']>();
  const seen: string[] = [];
  const { port, close } = await start({
    paidRoute: async (req, res) => {
      seen.push(req.url ?? '');
      res.writeHead(200, { 'Content-Length': '4' }).flushHeaders();
      arrived.resolve(req.socket);
      await gate.promise;
      res.end('paid');
      return true;
    },
  });
  const socket = connect(port, '127.0.0.1');
  const all = text(socket);
  const ask = (path: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`;
  socket.write(ask('/@demo/first'));
  const served = await arrived.promise;
  const closed = close();
  socket.write(ask('/@demo/second'));
  await expect
    .poll(() => served.bytesRead, { interval: 5 })
    .toBe(`${ask('/@demo/first')}${ask('/@demo/second')}`.length);
  gate.resolve();
  await closed;
  const [first, second] = (await all).split(/(?<=paid)/);
  expect(first).toMatch(/^HTTP\/1\.1 200 .*paid$/s);
  expect(second).toMatch(/^HTTP\/1\.1 503 .*Retry-After: 5\r\n.*Connection: close\r\n.*"unavailable"/s);
  expect(seen).toEqual(['/@demo/first']);
});

test('closing does not wait for connections that never sent a request, or not all of one', async () => {
  const { port, close } = await start({ closeWithinMs: 600_000 });
  const [silent, half] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  const ended = [silent, half].map((socket) => once(socket, 'close'));
  half.write('POST /@demo/haiku HTTP/1.1\r\nHost: x\r\n');
  // Answered: what was sent before it has been accepted.
  await exchange(port, 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await close();
  await expect(Promise.all(ended)).resolves.toHaveLength(2);
});

test('closing waits no longer than it was told', async () => {
  const arrived = Promise.withResolvers<void>();
  const { url, close } = await start({
    closeWithinMs: 50,
    paidRoute: () => {
      arrived.resolve();
      return true;
    },
  });
  const lost = fetch(`${url}/@demo/haiku`).then(String, String);
  await arrived.promise;
  await close();
  expect(await lost).toContain('fetch failed');
});

test.each([
  ['no HTTP', 'HELLO\r\n\r\n', '400', 'invalid_input'],
  ['headers over the limit', `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`, '431', 'too_large'],
  [
    'two lengths',
    'POST /api/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    '400',
    'invalid_input',
  ],
  [
    'a length and chunks',
    'POST /api/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    '400',
    'invalid_input',
  ],
  ['a Host that is none', 'GET /healthz HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', '400', 'invalid_input'],
  ['no Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', '400', ''],
  ['a target that is no path', 'GET healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', '400', 'invalid_input'],
])('refuses %s', async (...[, bytes, status, code]) => {
  const { port, state } = await start();
  const answer = await exchange(port, bytes);
  expect(answer.split('\r\n')[0]).toContain(` ${status} `);
  expect(answer).toContain(code);
  expect(state.logged).toEqual([]);
});

test('stops reading a body over the limit that did not announce itself', async () => {
  const { url, state } = await start();
  const endless = Readable.from(
    (function* () {
      for (let n = 0; n < 200; n += 1) {
        yield Buffer.alloc(16_384, ' ');
      }
    })(),
  );
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(`${url}/api/notes`, { method: 'POST', headers: signedIn }, resolve);
    sent.on('error', reject);
    endless.pipe(sent);
  });
  expect(response.statusCode).toBe(413);
  response.resume();
  endless.destroy();
  expect(state.notes).toEqual([]);
});

test('a usage file that breaks on the way breaks the download', async () => {
  const { url, state } = await start();
  const download = fetch(`${url}/api/usage.csv?breaks=true`, { headers: signedIn }).then((response) => response.text());
  await expect(download).rejects.toThrow('terminated');
  expect(JSON.stringify(state.logged)).toContain('could not be streamed');
});

test('metrics are for this machine and for administrators', async () => {
  const metrics = openMetrics();
  const { url } = await start({ metrics });
  metrics.observeCall('delivered', 0.2);
  await fetch(`${url}/api/notes/n1`, { method: 'PUT', headers: jsonHeaders });
  const local = await (await fetch(`${url}/metrics`)).text();
  expect(local).toContain('farebox_calls_total{outcome="delivered"} 1');
  expect(local).toContain('route="/api/notes/:id",status="4xx"');
  const forwarded = { 'X-Forwarded-For': '9.9.9.9' };
  expect((await fetch(`${url}/metrics`, { headers: forwarded })).status).toBe(401);
  const admin = { ...forwarded, Authorization: 'Bearer admin' };
  expect((await fetch(`${url}/metrics`, { headers: admin })).status).toBe(200);
});

test('who asks for metrics from elsewhere is limited before a credential is looked at', async () => {
  const { options } = toyOptions({ metrics: openMetrics(), trustedProxyHops: 1 });
  const limiter = { take: async (key: string) => ({ isAllowed: key !== '9.9.9.9', retryAfterSeconds: 1 }) };
  const { url } = await start({ metrics: openMetrics(), trustedProxyHops: 1, ports: { ...options.ports, limiter } });
  const from = (address: string) => ({ 'X-Forwarded-For': address, Authorization: 'Bearer guessed' });
  const statuses = ['9.9.9.9', '8.8.8.8'].map(async (address) => {
    return (await fetch(`${url}/metrics`, { headers: from(address) })).status;
  });
  expect(await Promise.all(statuses)).toEqual([429, 401]);
});
