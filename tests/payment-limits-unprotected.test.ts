import { beforeAll, expect, test, vi } from 'vitest';
import { getChallenge, send, toOffer } from './support/paid-request.ts';
import { encodeHeader, makeAccount, signOffer, toEnvelope } from './support/pay.ts';
import { useApp } from './support/start-app.ts';

/* The control of tests/payment-limits.test.ts: the same garbage sent to a server that counts no looks at the chain. */
vi.mock(import('../src/gateway/take-look-up.ts'), () => ({ takeLookUp: async () => 0 }));

const app = useApp();
let url: string;

beforeAll(async () => {
  const creator = await app.current.makeCreator('ada');
  ({ url } = await creator.publish({ slug: 'essay' }));
});

test('without the count of looks at the chain, every garbage signature is looked up', async () => {
  const offer = toOffer(await getChallenge(url));
  const statuses: number[] = [];
  for (let turn = 0; turn < 60; turn += 1) {
    const signed = { ...(await signOffer(makeAccount(), offer)), signature: `0x${'11'.repeat(65)}` };
    const payment = encodeHeader(toEnvelope(2, offer, signed));
    statuses.push((await send(url, { payment, body: { topic: 'rivers' } })).status);
  }
  expect(statuses).toEqual(Array.from({ length: 60 }, () => 402));
});
