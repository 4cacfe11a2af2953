import { decodePaymentRequiredHeader } from '@x402/core/http';
import { beforeAll, expect, test } from 'vitest';
import { payFor, send, signFor } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { withoutWriting } from './support/without-ledger.ts';

/* A call that an error of ours breaks off after its run was begun has used its creator's key: the log says so. */
const app = useApp();
let ada: Creator;

beforeAll(async () => {
  ada = await app.current.makeCreator('ada');
});

const readLog = async (id: string) => {
  const { body } = await ada.call('GET', `/api/usage?resourceId=${id}`);
  return body['items'] as Record<string, unknown>[];
};

test('a run whose answer could not be stored is logged as failed, and nothing is charged', async () => {
  const { id, url } = await ada.publish({ slug: 'essay' });
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const body = { topic: 'rivers' };
  const refused = await withoutWriting(
    app.current.databaseUrl,
    `UPDATE ON calls FOR EACH ROW WHEN (NEW.state = 'settling')`,
    () => send(url, { payment, body }),
  );
  expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable', charged: false } });
  expect(await readLog(id)).toMatchObject([
    {
      status: 'failed',
      problem: 'unavailable',
      cause: expect.stringMatching(/^internal: /),
      payer: expect.any(String),
    },
  ]);
  expect((await send(url, { payment, body })).status).toBe(200);
  expect(new Set((await readLog(id)).map(({ status }) => status))).toEqual(new Set(['failed', 'success']));
  expect(await app.current.balanceOf(buyer.address)).toBe(9_990_000n);
});

test('a run that cannot be logged either releases its payment all the same', async () => {
  const { url } = await ada.publish({ slug: 'unlogged' });
  const buyer = await app.current.makeBuyer();
  const payment = await payFor(buyer, url);
  const body = { topic: 'rivers' };
  const { databaseUrl } = app.current;
  const refused = await withoutWriting(databaseUrl, 'INSERT ON x402_prompt_template_usage_logs FOR EACH ROW', () =>
    withoutWriting(databaseUrl, `UPDATE ON calls FOR EACH ROW WHEN (NEW.state = 'settling')`, () =>
      send(url, { payment, body }),
    ),
  );
  expect(refused).toMatchObject({ status: 503, body: { code: 'unavailable', charged: false } });
  expect((await send(url, { payment, body })).status).toBe(200);
  expect(await app.current.balanceOf(buyer.address)).toBe(9_990_000n);
});

test('a paid batch that could not be carried out is logged as owed, with what was paid', async () => {
  const { id, url } = await ada.publish({ slug: 'many', batch: { maxInputs: 3 } });
  const buyer = await app.current.makeBuyer();
  const body = { inputs: [{ topic: 'rivers' }, { topic: 'lakes' }] };
  const { headers } = await send(`${url}/batch`, { body });
  const payment = await signFor(buyer, decodePaymentRequiredHeader(headers.get('PAYMENT-REQUIRED') ?? ''));
  const change = `UPDATE ON batch_items FOR EACH ROW WHEN (NEW.state <> 'open')`;
  await withoutWriting(app.current.databaseUrl, change, async () => {
    expect(await send(`${url}/batch`, { payment, body })).toMatchObject({ status: 202 });
    await expect
      .poll(() => readLog(id), { timeout: 10_000 })
      .toMatchObject([{ status: 'owed', cause: expect.stringMatching(/^internal: /), earnedUsdc: '0.02' }]);
  });
});
