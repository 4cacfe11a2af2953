import type { LookupAddress } from 'node:dns';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startScriptedUpstream, status, type ScriptedUpstream } from '../../../tests/support/scripted-upstream.ts';
import { openChatCompletions } from '../chat-completions/open-chat-completions.ts';
import { openOutbound, type Outbound } from './open-outbound.ts';
import { isPublicAddress, openPublicLookup } from './public-address.ts';

let upstream: ScriptedUpstream;
let outbound: Outbound;

beforeAll(async () => {
  upstream = await startScriptedUpstream();
  outbound = openOutbound({ allowedOrigins: [upstream.url] });
});
afterAll(async () => {
  await outbound.close();
  await upstream.close();
});

test.each([
  ['8.8.8.8', true],
  ['2606:4700:4700::1111', true],
  ...[
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '198.18.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '240.0.0.1',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8.evil',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '2001::1',
    'fc00::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '4000::1',
    'example.com',
    '',
  ].map((address): [string, boolean] => [address, false]),
])('the address %s is public: %s', (address, isPublic) => {
  expect(isPublicAddress(address)).toBe(isPublic);
});

test.each([
  ['not a url', 'not a URL'],
  ['http://example.com/', 'https'],
  ['ftp://example.com/', 'https'],
  ['file:///etc/passwd', 'https'],
  ['https://user:pw@example.com/', 'password'],
  ['https://example.com:22/', 'ports'],
  ['https://localhost/', 'public internet'],
  ['https://app.localhost/', 'public internet'],
  ['https://printer.local/', 'public internet'],
  ['https://metadata.google.internal/', 'public internet'],
  ['https://metadata.google.internal./', 'public internet'],
  ['https://intranet/', 'public internet'],
  ['https://127.0.0.1/', 'public internet'],
  ['https://0x7f.1/', 'public internet'],
  ['https://2130706433/', 'public internet'],
  ['https://[::1]/', 'public internet'],
  ['https://[::ffff:10.0.0.1]/', 'public internet'],
  ['https://169.254.169.254/latest/meta-data', 'public internet'],
  [`https://example.com/${'a'.repeat(3_000)}`, 'not a URL'],
])('the URL %s is not called', (url, rule) => {
  expect(() => outbound.open(url)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  expect(() => outbound.open(url)).toThrow(rule);
});

test('public https URLs and the sandbox origins may be called', () => {
  for (const url of ['https://example.com/v1', 'https://example.com:8443/', 'https://8.8.8.8/', `${upstream.url}/v1`]) {
    expect(outbound.open(url).url.href).toBe(url);
  }
});

test('an allowed origin opens no other port of its host', () => {
  expect(() => outbound.open('http://127.0.0.1:1/')).toThrow('https');
});

test('a name is refused by the address that it resolves to, in both forms of lookup', async () => {
  const lookupPublic = openPublicLookup();
  const one = await new Promise<Error | null>((resolve) => lookupPublic('localhost', {}, resolve));
  const all = await new Promise<[Error | null, unknown]>((resolve) =>
    lookupPublic('localhost', { all: true }, (error, found: string | LookupAddress[]) => resolve([error, found])),
  );
  expect(one?.message).toBe('The host has no public address.');
  expect(all[1]).toEqual([]);
});

test('connections to hosts that users name look the address up themselves', async () => {
  const { dispatcher } = outbound.open('https://example.com/');
  const sent = dispatcher.request({ origin: 'http://localhost:1', path: '/', method: 'GET' });
  await expect(sent).rejects.toThrow('The host has no public address.');
});

test('chat completions: a strict request without OpenRouter fields, at any base URL', async () => {
  upstream.script(status(200, { model: 'tiny', choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }] }));
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const tiny = openChatCompletions({ outbound, log }).at(`${upstream.url}/v1/`);
  const result = await tiny.chat(
    {
      model: 'tiny',
      messages: [{ role: 'user', content: 'hello' }],
      maxTokens: 9,
      topP: 0.5,
      fallbackModels: ['b'],
      modalities: ['image'],
    },
    { apiKey: 'key', signal: new AbortController().signal, deadlineMs: Date.now() + 2_000 },
  );
  expect(result).toMatchObject({ ok: true, text: 'hi', model: 'tiny', usage: null });
  expect(upstream.seen[0]).toMatchObject({ path: '/v1/chat/completions', headers: { authorization: 'Bearer key' } });
  expect(JSON.parse(upstream.seen[0]?.body ?? '')).toEqual({
    model: 'tiny',
    messages: [{ role: 'user', content: 'hello' }],
    max_tokens: 9,
    top_p: 0.5,
    stream: true,
    stream_options: { include_usage: true },
  });
});

test('chat completions: a URL that may not be called is a problem, not a request', async () => {
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const inside = openChatCompletions({ outbound, log }).at('https://169.254.169.254/v1');
  const call = { apiKey: 'key', signal: new AbortController().signal, deadlineMs: Date.now() + 2_000 };
  const sent = inside.chat({ model: 'm', messages: [], maxTokens: 1 }, call);
  await expect(sent).rejects.toMatchObject({ code: 'invalid_input' });
});
