import { execFileSync } from 'node:child_process';
import { ExactEvmScheme } from '@x402/evm';
import { wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import { parseSync } from 'oxc-parser';
import { expect, test } from 'vitest';
import { toyResource } from '../../tests/support/toy-app.ts';
import { toCurl, toFetchProgram } from './pages/call-snippets.ts';

const hostile = [
  "it's",
  '$(touch /tmp/x)',
  '`x`',
  '\\',
  '"',
  '\n',
  "'; rm -rf ~; '",
  '${x}',
  '</script>',
  '\u2028',
  '!!',
];

test.each(hostile)('the shell passes %j on as it is', (topic) => {
  const resource = { ...toyResource, inputExample: { topic } };
  const line = toCurl('https://farebox.test', resource).replace('curl', `printf '%s\\0'`);
  const words = execFileSync('sh', ['-c', line], { encoding: 'utf8' }).split('\0');
  expect(words).toContain('https://farebox.test/@demo/haiku');
  expect(JSON.parse(words.at(-2) ?? '')).toEqual({ topic });
});

test('the program pays on every network on which its client can, and names no other', () => {
  const ways = [
    ['exact', 'eip155:8453'],
    ['exact', 'eip155:137'],
    ['upto', 'eip155:10'],
    ['exact', 'elsewhere:1'],
  ] as const;
  const offers = ways.map(([scheme, network]) => ({
    scheme,
    network,
    networkName: network,
    priceUsdc: '1',
    payTo: '0x',
  }));
  const program = toFetchProgram({ origin: 'https://farebox.test', isSandbox: true }, { ...toyResource, offers });
  expect(parseSync('paid-call.mjs', program).errors).toEqual([]);
  expect(program).toContain("{ network: 'eip155:8453', client: new ExactEvmScheme(wallet) }");
  expect(program).toContain("{ network: 'eip155:137', client: new ExactEvmScheme(wallet) }");
  expect(program).not.toMatch(/eip155:10'|elsewhere/);
});

test.each(hostile)('the program stays a program with %j in it', (topic) => {
  const resource = { ...toyResource, inputExample: { topic } };
  const origin = 'https://farebox.test';
  const inSandbox = parseSync('paid-call.mjs', toFetchProgram({ origin, isSandbox: true }, resource));
  expect(inSandbox.errors).toEqual([]);
  const { errors, module } = parseSync('paid-call.mjs', toFetchProgram({ origin, isSandbox: false }, resource));
  expect(errors).toEqual([]);
  expect(module.staticImports.map((one) => one.moduleRequest.value)).toEqual([
    'node:process',
    '@x402/fetch',
    '@x402/evm',
    'viem/accounts',
  ]);
  expect([typeof wrapFetchWithPaymentFromConfig, typeof ExactEvmScheme]).toEqual(['function', 'function']);
});
