import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, documentSettings, readConfig, settingNames } from './config.ts';

const masterKey = '7f0c1d9e2b5a48637f9e0d1c2b3a495867788990a1b2c3d4e5f60718293a4b5c';
const settlerKey = `0x${'4c'.repeat(32)}`;
const live = {
  MODE: 'live',
  MASTER_KEY: masterKey,
  PUBLIC_URL: 'https://pay.example.com',
  SETTLER_PRIVATE_KEYS: settlerKey,
};

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.problems : [String(error)];
  }
}

test('an empty environment configures the sandbox', () => {
  expect(readConfig({})).toMatchObject({
    MODE: 'sandbox',
    PORT: 4020,
    HOST: '127.0.0.1',
    NETWORKS: ['eip155:84532'],
    FACILITATOR_URLS: [],
  });
});

test('no words of the schema library reach who reads a problem of the configuration', () => {
  const nonsense = Object.fromEntries(settingNames.map((name) => [name, ',\u0000 nonsense,,']));
  expect(problemsOf(nonsense).length).toBeGreaterThan(8);
  for (const problem of problemsOf(nonsense)) {
    expect(problem).toMatch(/^[A-Z0-9_]+(, entry \d+)?: (must|is|names|The master key) /);
  }
});

test('an empty or blank environment variable counts as not given', () => {
  expect(readConfig({ PORT: '', MASTER_KEY: '  ' })).toMatchObject({ PORT: 4020 });
});

test('settings that are lists are separated by commas; endpoints are found by their network', () => {
  const config = readConfig({
    NETWORKS: 'eip155:8453, eip155:84532',
    RPC_URLS: 'eip155:8453=https://rpc.example/v1?key=a=b',
    PUBLIC_URL: 'https://pay.example.com/',
  });
  expect(config.NETWORKS).toEqual(['eip155:8453', 'eip155:84532']);
  expect(config.rpcUrls.get('eip155:8453')).toBe('https://rpc.example/v1?key=a=b');
  expect(config.PUBLIC_URL).toBe('https://pay.example.com');
});

test('live mode takes Base unless told otherwise', () => {
  expect(readConfig(live)).toMatchObject({ MODE: 'live', NETWORKS: ['eip155:8453'] });
});

test('every problem of the configuration is told at once, each with its variable', () => {
  const problems = problemsOf({ MODE: 'live', PORT: '99999', LOG_LEVEL: 'loud', NETWORKS: 'eip155:1', HOST: ' ' });
  expect(problems).toHaveLength(6);
  for (const name of ['PORT', 'LOG_LEVEL', 'NETWORKS', 'MASTER_KEY', 'PUBLIC_URL', 'SETTLER_PRIVATE_KEYS']) {
    expect(problems.join('\n')).toMatch(new RegExp(`${name}.*: `));
  }
});

test.each([
  ['PORT', '4020.5', /whole number/],
  ['PORT', '-1', /whole number/],
  ['PORT', '0x10', /whole number/],
  ['TRUSTED_PROXY_HOPS', '9', /from 0 to 8/],
  ['PUBLIC_URL', 'pay.example.com', /URL/],
  ['PUBLIC_URL', 'https://pay.example.com/shop', /origin only/],
  ['PUBLIC_URL', 'https://ada@pay.example.com', /origin only/],
  ['DATABASE_URL', 'mysql://localhost/x', /postgres/],
  ['MASTER_KEY', 'short', /openssl rand -hex 32/],
  ['MASTER_KEY', 'a'.repeat(64), /not random/],
  ['NETWORKS', 'base', /eip155:8453/],
  ['FACILITATOR_URLS', 'https://good.example,ftp://bad.example', /entry 2: must be a URL/],
  ['RPC_URLS', 'https://rpc.example', /must look like/],
  ['RPC_URLS', 'eip155:8453=https://rpc.example,eip155:8435=https://rpc.example', /entry 2: names a network that/],
  ['ADMIN_EMAILS', 'root', /entry 1: must be an e-mail address/],
  ['MODE', 'production', /^MODE: must be one of "sandbox", "live"$/],
])('the setting %s=%s is refused', (name, value, expected) => {
  expect(problemsOf({ [name]: value }).join('\n')).toMatch(expected);
});

test.each([
  ['MASTER_KEY', /openssl rand -hex 32/],
  ['PUBLIC_URL', /https:\/\//],
  ['SETTLER_PRIVATE_KEYS', /FACILITATOR_URLS or SETTLER_PRIVATE_KEYS/],
])('live mode does not start without %s', (name, expected) => {
  expect(problemsOf({ ...live, [name]: '' })).toEqual([expect.stringMatching(expected)]);
});

test("the operator's OpenRouter key is for nobody until somebody is named", () => {
  expect(problemsOf({ ...live, OPENROUTER_API_KEY: 'sk-or-v1-abc' })).toEqual([expect.stringMatching(/_CREATORS/)]);
  expect(readConfig({ ...live, OPENROUTER_API_KEY: 'sk-or-v1-abc', OPENROUTER_API_KEY_CREATORS: 'ada' })).toMatchObject(
    { OPENROUTER_API_KEY_CREATORS: ['ada'] },
  );
});

test('no problem of the configuration repeats a value of a secret', () => {
  const canary = 'hunter2-canary';
  const secrets = ['DATABASE_URL', 'MASTER_KEY', 'NEW_MASTER_KEY', 'SETTLER_PRIVATE_KEYS', 'RPC_URLS'];
  const problems = problemsOf(Object.fromEntries(secrets.map((name) => [name, canary])));
  expect(problems).toHaveLength(secrets.length);
  expect(problems.join()).not.toContain('hunter2');
});

test('docs/configuration.md says what src/config.ts says (npm run docs writes it)', async () => {
  const written = await readFile(join(import.meta.dirname, '../docs/configuration.md'), 'utf8');
  expect(written).toBe(documentSettings());
});

test('an object store is described whole or not at all', () => {
  const given = { MEDIA_S3_ENDPOINT: 'https://s3.example.com', MEDIA_S3_ACCESS_KEY_ID: 'id' };
  expect(problemsOf(given)).toEqual([
    'MEDIA_S3_BUCKET: is needed with the other settings of the object store',
    'MEDIA_S3_SECRET_ACCESS_KEY: is needed with the other settings of the object store',
  ]);
  expect(problemsOf({ MEDIA_MAX_MB: 'image=5,film=7' })).toEqual([
    'MEDIA_MAX_MB, entry 2: must look like video=200, at most 2000',
  ]);
  expect(problemsOf({ MEDIA_MAX_MB: 'video=2001' })).toEqual([
    'MEDIA_MAX_MB, entry 1: must look like video=200, at most 2000',
  ]);
});

test('a mail server is named together with who its mails come from', () => {
  const server = { SMTP_URL: 'smtps://user:canary@mail.example.com:465' };
  expect(problemsOf(server)).toEqual(['MAIL_FROM: is needed with SMTP_URL, such as notices@example.com']);
  expect(readConfig({ ...server, MAIL_FROM: 'notices@example.com' })).toMatchObject(server);
  expect(problemsOf({ SMTP_URL: 'https://canary.example.com' })).toEqual(['SMTP_URL: must be a URL (smtp or smtps)']);
});

test('an address of an object store with a path is refused, which would be lost', () => {
  const [problem] = problemsOf({ MEDIA_S3_ENDPOINT: 'https://x.example.com/storage/v1/s3' });
  expect(problem).toBe('MEDIA_S3_ENDPOINT: must be an origin only: no user, path, query or fragment');
});
