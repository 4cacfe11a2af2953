import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { listKinds } from '../src/plugins.ts';
import { payFor, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';
import { startStreamSource, type StreamSource } from './support/stream-source.ts';
import { openToyStream } from './support/toy-stream.ts';
import { withoutLedger, withoutWriting } from './support/without-ledger.ts';

/* What breaks here, in this process, while a call is carried out that is paid before its answer is complete. */
const app = useApp({}, { listKinds: (deps) => [...listKinds(deps), openToyStream()] });
let source: StreamSource;
let creator: Creator;

beforeAll(async () => {
  source = await startStreamSource();
  creator = await app.current.makeCreator('ada');
});
afterAll(() => source.close());

async function readCall(payer: string) {
  const { rows } = await app.current.database.system.query<{ state: string; has_answer: boolean }>(
    'SELECT state, answer IS NOT NULL AS has_answer FROM calls WHERE payer = $1',
    [payer.toLowerCase()],
  );
  return rows[0];
}

test('the books cannot be written at the first output: the run goes on, and its answer is what the payment bought', async () => {
  const config = { source: source.url };
  const { url } = await creator.publish({ slug: 's', kind: 'toy_stream', settlementPoint: 'at_first_output', config });
  const [buyer, topic] = [await app.current.makeBuyer(), 'a full disk'];
  const payment = await payFor(buyer, url);
  const held = source.hold(topic, 2);
  const broken = await withoutLedger(app.current.databaseUrl, async () => {
    const answering = send(url, { payment, body: { topic } });
    await held;
    const answer = await answering;
    source.release();
    await expect.poll(() => readCall(buyer.address)).toEqual({ state: 'pending', has_answer: true });
    return answer;
  });
  expect(broken).toMatchObject({ status: 503, body: { code: 'settlement_pending' } });
  await expect.poll(async () => (await readCall(buyer.address))?.state, { timeout: 20_000 }).toBe('settled');
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'PAYMENT-SIGNATURE': payment },
    body: JSON.stringify({ topic }),
  });
  expect(await response.text()).toContain('"response":"one two three"');
  expect(source.countRuns(topic)).toBe(1);
  expect(await app.current.balanceOf(buyer.address)).toBe(9_990_000n);
});

test('the first output cannot be noted: nothing is charged, and its run is given up at once', async () => {
  const config = { source: source.url };
  const { url } = await creator.publish({ slug: 'n', kind: 'toy_stream', settlementPoint: 'at_first_output', config });
  const [buyer, topic] = [await app.current.makeBuyer(), 'a broken note'];
  const payment = await payFor(buyer, url);
  const onLeft = vi.fn();
  void source.untilLeft(topic).then(onLeft);
  void source.hold(topic, 1);
  const failed = await withoutWriting(
    app.current.databaseUrl,
    `UPDATE ON calls FOR EACH ROW WHEN (NEW.state = 'settling')`,
    () => send(url, { payment, body: { topic } }),
  );
  expect(failed).toMatchObject({ status: 503, body: { charged: false } });
  await expect.poll(() => onLeft.mock.calls.length, { timeout: 5_000 }).toBe(1);
  source.release();
  expect(await app.current.balanceOf(buyer.address)).toBe(10_000_000n);
});
