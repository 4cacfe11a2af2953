import { randomBytes } from 'node:crypto';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startAnotherProcess, type AnotherProcess } from './support/another-process.ts';
import { useApp } from './support/start-app.ts';
import { stealAnswers } from './support/stranger.ts';

/* The control of tests/kept-answers.test.ts: the same attack on a server that takes everybody for the buyer. */
vi.mock(import('../src/gateway/buyer-proof.ts'), async (original) => ({
  ...(await original()),
  isBuyer: async () => true,
}));

const masterKey = randomBytes(32).toString('hex');
const app = useApp({ MASTER_KEY: masterKey });
let url: string;
let other: AnotherProcess;

beforeAll(async () => {
  const creator = await app.current.makeCreator('ada');
  ({ url } = await creator.publish({ slug: 'essay' }));
  const settlerKey = generatePrivateKey();
  await app.current.sandbox?.fund(privateKeyToAddress(settlerKey));
  other = await startAnotherProcess(app.current, { MASTER_KEY: masterKey, SETTLER_PRIVATE_KEYS: settlerKey });
});
afterAll(() => other.stop());

test.each([
  ['sold by itself', () => url],
  ['sold by another process', () => url.replace(app.current.url, other.url)],
])('without the proof a stranger gets 20 of 20 kept answers (%s)', async (_, sold) => {
  const { stolen } = await stealAnswers(app.current, { url: sold(), ask: url });
  expect(stolen).toHaveLength(20);
  expect(stolen.every(({ status }) => status === 200)).toBe(true);
});
