import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { send } from './support/paid-request.ts';
import { useApp } from './support/start-app.ts';

/*
 * Large bodies are held in memory, before anything is paid: a client holds its share of it at a time and no more. What has
 * no files is not counted, and goes on.
 */
const app = useApp({ TRUSTED_PROXY_HOPS: '1' });
const ANNOUNCED = 16 * 1024 * 1024;

/** A body of 16 MB, of which the first 300 KB come and then nothing. */
function beginLarge(url: string, address: string): { sent: ClientRequest; answered: Promise<number | undefined> } {
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': ANNOUNCED,
    'PAYMENT-SIGNATURE': 'garbage',
    'X-Forwarded-For': address,
  };
  const sent = request(url, { method: 'POST', headers });
  sent.on('error', () => {});
  const answered = once(sent, 'response').then(
    ([response]) => (response as IncomingMessage).statusCode,
    () => undefined,
  );
  sent.write(Buffer.alloc(300_000, 0x20));
  return { sent, answered };
}

test('one client holds a part of the memory for large bodies; others and small calls are served, and what ends is free again', async () => {
  const creator = await app.current.makeCreator('ada');
  const { url } = await creator.publish({
    slug: 'large',
    parameters: [{ name: 'photo', type: 'image', maxBytes: 20_000_000 }],
    config: { modelId: 'google/gemini-2.5-flash', systemPrompt: 'Say what this is.', maxTokens: 50 },
  });
  const address = '192.0.2.1';
  const begun = Array.from({ length: 5 }, () => beginLarge(url, address));
  const answered = begun.map(async (one) => ({ one, status: await one.answered }));
  const [first, second] = await Promise.all([Promise.race(answered), Promise.any(answered.toReversed())]);
  expect(first.status).toBe(503);
  expect(second.status).toBe(503);
  expect((await send(url, { headers: { 'X-Forwarded-For': address } })).status).toBe(402);
  expect((await send(url, { payment: 'garbage', body: {}, headers: { 'X-Forwarded-For': address } })).status).not.toBe(
    503,
  );
  const other = beginLarge(url, '192.0.2.2');
  other.sent.end(Buffer.alloc(ANNOUNCED - 300_000, 0x20));
  expect(await other.answered).not.toBe(503);
  begun.forEach(({ sent }) => sent.destroy());
  await expect
    .poll(
      async () => {
        const again = beginLarge(url, address);
        again.sent.end(Buffer.alloc(ANNOUNCED - 300_000, 0x20));
        return again.answered;
      },
      { timeout: 20_000, interval: 100 },
    )
    .not.toBe(503);
});
