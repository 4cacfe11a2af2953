import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { checkPort, explainPort } from './check-port.ts';
import { checkServer } from './check-server.ts';
import { doctor } from './doctor.ts';

async function serve(answers: Record<string, [number, unknown]>): Promise<number> {
  const server = createServer((request, response) => {
    const [status, body] = answers[request.url ?? ''] ?? [404, {}];
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const alive: [number, unknown] = [200, { status: 'alive', version: '0.1.0' }];

test('the doctor runs every check and says how to mend what is wrong', async () => {
  const lines: string[] = [];
  const isWell = await doctor({
    print: (line) => void lines.push(line),
    checks: [
      { name: 'node', run: async () => ({ state: 'good', detail: 'Node 24' }) },
      { name: 'database', run: () => Promise.reject(new Error('no answer')) },
      { name: 'port', run: async () => ({ state: 'bad', detail: 'taken', mend: 'Choose another.' }) },
    ],
  });
  expect(isWell).toBe(false);
  expect(lines).toEqual([
    'ok   node      Node 24',
    'BAD  database  no answer',
    'BAD  port      taken',
    '               -> Choose another.',
    'Something needs mending.',
  ]);
});

test('the doctor names a port that is taken, who needs it and a way out', async () => {
  const port = await serve({});
  expect(await checkPort({ host: '127.0.0.1', port, purpose: 'the local chain' })).toEqual({
    state: 'bad',
    detail: `Port ${port} of 127.0.0.1, needed for the local chain, is taken by another program (EADDRINUSE)`,
    mend: expect.stringMatching(/^Stop what listens there, or choose other ports: PORT=\d+ npm start$/) as string,
  });
  expect(await checkPort({ host: '127.0.0.1', port: 0, purpose: 'nothing' })).toMatchObject({ state: 'good' });
});

test.each([
  [
    'a port without the right to it',
    80,
    'EACCES',
    /^Port 80 of .* may not be listened on by this user/,
    /reverse proxy/,
  ],
  ['a HOST of another machine', 4020, 'EADDRNOTAVAIL', /^HOST: .* is not an address of this machine/, /0\.0\.0\.0/],
  ['a HOST that is no name', 4020, 'ENOTFOUND', /^HOST: .* is not an address of this machine/, /Leave HOST out/],
])('%s is explained in one sentence with its remedy', (...[, port, code, detail, mend]) => {
  expect(explainPort({ host: '203.0.113.9', port, purpose: 'the HTTP server' }, code)).toEqual({
    state: 'bad',
    detail: expect.stringMatching(detail) as string,
    mend: expect.stringMatching(mend) as string,
  });
});

test('the doctor recognises a Farebox that runs, ready or not', async () => {
  const ready = await serve({ '/healthz': alive, '/readyz': [200, { status: 'ready' }] });
  expect(await checkServer(`http://127.0.0.1:${ready}`)).toMatchObject({ state: 'good' });
  const unready = await serve({ '/healthz': alive, '/readyz': [503, { detail: 'Not ready: settler.' }] });
  expect(await checkServer(`http://127.0.0.1:${unready}`)).toMatchObject({
    state: 'bad',
    detail: expect.stringMatching(/settler/),
  });
});

test('the doctor does not take another server for a Farebox', async () => {
  const other = await serve({ '/healthz': [200, { status: 'ok' }] });
  expect(await checkServer(`http://127.0.0.1:${other}`)).toBeNull();
  expect(await checkServer('http://127.0.0.1:1')).toBeNull();
});
