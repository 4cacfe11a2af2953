import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fetchFile } from './fetch-file.ts';
import { openOutbound, type Outbound } from './open-outbound.ts';
import type { Resolver } from './public-address.ts';

/*
 * What a stranger may name as a file, against a trap: a server on this machine to which no packet may come. Names are
 * resolved by the test; files that are allowed come from one origin, as a sandbox allows its own servers.
 */
const limits = { maxBytes: 10_000, timeoutMs: 20_000 };
let trap: ReturnType<typeof createServer>;
let trapped: number;
let trapPort: number;
let files: Server;
let origin: string;
let answer: RequestListener;
let outbound: Outbound;
let names: Map<string, string[][]>;

/** Each name has a list of answers, given in turn; the last one stays. */
const resolve: Resolver = (hostname, _options, callback) => {
  const answers = names.get(hostname) ?? [];
  const addresses = (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  callback(found.length === 0 ? new Error('not found') : null, found);
};

beforeAll(async () => {
  trap = createServer((socket: Socket) => {
    trapped += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(trap, 'listening');
  trapPort = (trap.address() as AddressInfo).port;
  files = createHttpServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
  await once(files, 'listening');
  origin = `http://127.0.0.1:${(files.address() as AddressInfo).port}`;
  outbound = openOutbound({ allowedOrigins: [origin], resolve });
});
beforeEach(() => {
  trapped = 0;
  names = new Map();
});
afterAll(async () => {
  files.closeAllConnections();
  files.close();
  trap.close();
  await outbound.close();
});

async function refused(url: string): Promise<string> {
  const found = await fetchFile(outbound, url, limits);
  expect(trapped).toBe(0);
  if (found.ok) {
    throw new Error('The file was fetched.');
  }
  return found.reason;
}

const literals = [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0.0.0.0',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '169.254.169.254',
  '[fd00:ec2::254]',
  '100.100.100.200',
  '100.64.0.1',
  '10.0.0.1',
  '10.255.255.255',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '198.18.0.1',
  '198.19.255.255',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '[fe80::1]',
  '[fc00::1]',
  '[fd12:3456::1]',
  '[ff02::1]',
  '１２７.0.0.1',
  '127。0。0。1',
  '①②⑦.0.0.1',
  '127.0.0.1.',
  'localhost',
  'localhost.',
  'LOCALHOST',
  'app.localhost',
  'metadata.google.internal',
  'metadata.google.internal.',
];

describe('no packet goes to', () => {
  test.each(literals)('the host %s', async (host) => {
    expect(await refused(`https://${host}/a.png`)).toMatch(
      /^its address is not allowed: Only hosts on the public internet/,
    );
    expect(await refused(`https://${host}:8443/a.png`)).toMatch(/^its address is not allowed/);
    expect(await refused(`http://${host}:${trapPort}/a.png`)).toMatch(/^its address is not allowed: Only https/);
  });

  test.each([
    ['a user name in front of the host', () => `https://files.example@127.0.0.1:${trapPort}/`],
    ['a user name without a host behind it', () => `https://ok:8443@127.0.0.1/`],
    ['another scheme: file', () => 'file:///etc/passwd'],
    ['another scheme: gopher', () => `gopher://127.0.0.1:${trapPort}/_x`],
    ['another scheme: ftp', () => `ftp://127.0.0.1:${trapPort}/x`],
    ['plain http', () => 'http://files.example/'],
    ['the port 22', () => 'https://files.example:22/'],
    ['the port 25', () => 'https://files.example:25/'],
    ['the port 6379', () => 'https://files.example:6379/'],
    ['the port 5432', () => 'https://files.example:5432/'],
    ['the port of the trap', () => `https://files.example:${trapPort}/`],
    ['an encoded end of the host: %23', () => 'https://files.example%23.evil/'],
    ['an encoded end of the host: %2f', () => 'https://files.example%2f.evil/'],
    ['an encoded end of the host: %5c', () => 'https://files.example%5c.evil/'],
    ['a line break in the host', () => 'https://files.example%0d%0aHost:x/'],
    ['no URL', () => 'https://'],
  ])('%s', async (_name, url) => {
    names.set('files.example', [['127.0.0.1']]);
    expect(await refused(url())).toMatch(/^its address is not allowed/);
  });

  test.each([
    ['127.0.0.1.nip.io', [['127.0.0.1']]],
    ['7f000001.nip.io', [['127.0.0.1']]],
    ['xn--80ak6aa92e.example', [['10.0.0.1']]],
    ['rebinds.example', [['127.0.0.1'], ['8.8.8.8']]],
    ['mixed.example', [['8.8.8.8', '127.0.0.1']]],
    ['mixed-families.example', [['8.8.8.8', '::1']]],
    ['mapped.example', [['::ffff:127.0.0.1']]],
    ['translated.example', [['64:ff9b::7f00:1']]],
    ['metadata.example', [['169.254.169.254']]],
    ['carrier.example', [['100.100.100.200']]],
    ['no-address.example', []],
  ])('the name %s, which resolves to %j', async (name, answers) => {
    names.set(name, answers);
    expect(await refused(`https://${name}/a.png`)).toBe('its server cannot be reached');
  });

  test('a name that was public when it was looked at and is private when it is connected to', async () => {
    // Nothing looks a name up before the connection does, and that connects to what it has judged.
    const asked: string[] = [];
    const counting: Resolver = (hostname, options, callback) => {
      asked.push(hostname);
      resolve(hostname, options, callback);
    };
    const counted = openOutbound({ resolve: counting });
    names.set('rebinds.example', [['127.0.0.1'], ['8.8.8.8']]);
    const found = await fetchFile(counted, 'https://rebinds.example/', limits);
    await counted.close();
    expect(found.ok).toBe(false);
    expect(asked).toEqual(['rebinds.example']);
    expect(trapped).toBe(0);
  });

  test.each([1, 2, 3, 4, 5])('a private host by redirect number %i', async (hop) => {
    answer = (request, response) => {
      const made = Number(request.url?.slice(1));
      const next = made < hop ? `${origin}/${made + 1}` : `https://127.0.0.1:${trapPort}/`;
      response.writeHead(302, { Location: next }).end();
    };
    expect(await refused(`${origin}/1`)).toMatch(/^its address is not allowed/);
  });

  test.each([301, 302, 303, 307, 308])('a private host by a redirect of status %i', async (status) => {
    answer = (_request, response) => void response.writeHead(status, { Location: 'https://[::1]/' }).end();
    expect(await refused(origin)).toMatch(/^its address is not allowed/);
  });

  test.each(['file:///etc/passwd', 'gopher://127.0.0.1/', 'ftp://127.0.0.1/', '//127.0.0.1/', 'https://', '::'])(
    'the redirect %s',
    async (location) => {
      answer = (_request, response) => void response.writeHead(302, { Location: location }).end();
      expect(await refused(`${origin}/a`)).toMatch(/^(its address is not allowed|its server|it redirects)/);
    },
  );
});

describe('a server of files', () => {
  test('that redirects for ever is given up after five', async () => {
    let asked = 0;
    answer = (_request, response) => {
      asked += 1;
      response.writeHead(302, { Location: '/again' }).end();
    };
    expect(await refused(origin)).toBe('it redirects more than 5 times');
    expect(asked).toBe(6);
  });

  test('is asked without anything of the caller, and no cookie of its own comes back to it', async () => {
    const seen: Record<string, unknown>[] = [];
    answer = (request, response) => {
      seen.push(request.headers);
      const isFirst = seen.length === 1;
      response.writeHead(isFirst ? 302 : 200, { Location: '/b', 'Set-Cookie': 'a=1' }).end(isFirst ? '' : 'bytes');
    };
    const found = await fetchFile(outbound, `${origin}/a`, limits);
    expect(found).toEqual({ ok: true, bytes: Buffer.from('bytes') });
    expect(seen.map((headers) => Object.keys(headers).toSorted())).toEqual(
      Array.from({ length: 2 }, () => ['accept', 'accept-encoding', 'connection', 'host', 'user-agent']),
    );
  });

  test('that announces too much is not read', async () => {
    answer = (_request, response) => void response.writeHead(200, { 'Content-Length': '1000000000' }).write('x');
    expect(await refused(origin)).toBe('it has 1000000000 bytes, and at most 10000 are read');
  });

  test('that sends too much is stopped', async () => {
    let sent = 0;
    answer = (_request, response) => {
      const more = (): void => {
        for (let isOpen = true; isOpen && sent < 1_000_000_000; sent += 4_096) {
          isOpen = response.write(Buffer.alloc(4_096));
        }
      };
      response.on('drain', more);
      response.on('error', () => {});
      more();
    };
    expect(await refused(origin)).toBe('it has more than 10000 bytes');
    expect(sent).toBeLessThan(50_000_000);
  });

  test('that sends a bomb of gzip is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(5_000_000));
    answer = (_request, response) => void response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(bomb);
    expect(await refused(origin)).toBe('its server sends it packed');
  });

  test.each([204, 206, 304, 401, 404, 500])('that answers with status %i has no file', async (status) => {
    answer = (_request, response) => void response.writeHead(status).end();
    expect(await refused(origin)).toBe(`its server answered with status ${status}`);
  });

  test('that sends nothing has no file', async () => {
    answer = (_request, response) => void response.end();
    expect(await refused(origin)).toBe('it is empty');
  });

  test.each<[string, RequestListener]>([
    ['never answers', () => {}],
    ['never ends its headers', (request) => void request.socket.write('HTTP/1.1 200 OK\r\nX-A: ')],
    ['never ends its body', (_request, response) => void response.writeHead(200, { 'Content-Length': '9' }).write('x')],
    ['only promises', (request) => void request.socket.write('HTTP/1.1 102 Processing\r\n\r\n'.repeat(50))],
  ])('that %s is given up when its time is over', async (_name, listener) => {
    answer = listener;
    const found = await fetchFile(outbound, origin, { ...limits, timeoutMs: 60 });
    expect(found).toEqual({ ok: false, reason: 'it did not come within 0.06 seconds' });
  });

  test.each([
    ['a header without an end', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(40_000)}\r\n\r\nx`],
    [
      'a length and chunks at once',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx',
    ],
    ['a header that breaks the line', 'HTTP/1.1 200 OK\r\nX-A: a\rContent-Length: 5\r\n\r\nhello'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
  ])('that answers with %s has no file', async (_name, bytes) => {
    answer = (request) => void request.socket.end(bytes);
    expect(await refused(origin)).toBe('its server cannot be reached');
  });
});
