import { readFile } from 'node:fs/promises';
import { decodePaymentRequiredHeader } from '@x402/core/http';
import { describe, expect, test } from 'vitest';
import { listNames, toText, type ReadEvent } from './support/open-events.ts';
import { delta, DONE, event, usageChunk } from './support/scripted-upstream.ts';
import { ended, useStreamWorld, type Piece, type StreamCall } from './support/stream-world.ts';

/* What is charged for a stream that is interrupted: docs/charging.md, row by row. */
const world = useStreamWorld();

const PRICE = 10_000n;
const begun = delta('half');
const broken = event({ error: { code: 502, message: 'Provider returned error' }, choices: [] });

/** Nothing was charged, and the same payment buys the answer once the upstream gives one. */
async function expectFree(call: StreamCall, told: { status: number; code: string }): Promise<void> {
  const failed = await call.ask();
  expect(failed).toMatchObject({ status: told.status, body: { code: told.code, charged: false } });
  expect(failed.headers.get('Content-Type')).toBe('application/problem+json');
  expect(await call.spent()).toBe(0n);
  expect(await call.logged()).toMatchObject({ status: 'failed', earnedUsdc: '0' });
  await expectBought(call);
}

async function expectBought(call: StreamCall): Promise<void> {
  call.script(delta('whole'), ...ended);
  const read = await (await call.open()).rest();
  expect([toText(read), read.at(-1)?.event]).toEqual(['whole', 'done']);
  expect(await call.spent()).toBe(PRICE);
}

/** The answer is paid and owed: the same payment gets a whole one, made anew, and pays nothing more. */
async function expectOwed(call: StreamCall, read: readonly ReadEvent[]): Promise<void> {
  expect(toText(read)).toBe('half');
  expect(read.at(-1)).toMatchObject({ event: 'error', data: { code: 'answer_owed', charged: true } });
  expect(await call.spent()).toBe(PRICE);
  await expectMadeAnew(call, read.at(-1)?.id);
}

async function expectMadeAnew(call: StreamCall, lastEventId: string | undefined): Promise<void> {
  call.script(delta('whole'), ...ended);
  await call.letTimePass();
  const again = await (await call.open(lastEventId)).rest();
  expect(again[0]).toMatchObject({ id: '2-0', event: 'meta', data: { run: 2 } });
  expect([toText(again), again.at(-1)?.event]).toEqual(['whole', 'done']);
  await call.untilState('delivered');
  expect(await call.spent()).toBe(PRICE);
  expect(await call.logged()).toMatchObject({ status: 'success', earnedUsdc: '0.01' });
}

const free =
  (pieces: readonly Piece[], told = { status: 502, code: 'upstream_failed' }) =>
  async (call: StreamCall) => {
    call.script(...pieces);
    await expectFree(call, told);
  };
const owed =
  (...pieces: readonly Piece[]) =>
  async (call: StreamCall) => {
    call.script(begun, ...pieces);
    await expectOwed(call, await (await call.open()).rest());
  };

const rows: Record<string, (call: StreamCall) => Promise<void>> = {
  'The upstream breaks off before the first output': free([{ cut: true }]),
  'The upstream sends an error before the first output': free([broken]),
  'A content filter leaves no output': free([delta('', 'content_filter'), DONE], {
    status: 422,
    code: 'content_refused',
  }),
  'The stream ends without any output': free([delta(' '), ...ended]),
  'The run exceeds its time limit before the first output': async (call) => {
    call.script({ stand: call.stand() });
    await expectFree(call, { status: 504, code: 'upstream_timeout' });
  },
  'The buyer leaves before the first output': async (call) => {
    const stand = call.stand();
    call.script({ stand });
    const controller = new AbortController();
    const asking = fetch(call.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream', 'PAYMENT-SIGNATURE': call.payment },
      body: JSON.stringify({ topic: call.topic }),
      signal: controller.signal,
    }).catch(() => 'left');
    await stand.reached;
    controller.abort();
    expect(await asking).toBe('left');
    await call.untilLeft();
    await call.untilState('failed');
    expect(await call.spent()).toBe(0n);
    expect(await call.logged()).toMatchObject({ status: 'failed', cause: expect.stringContaining('buyer_left') });
    await expectBought(call);
  },
  'The process dies before the settlement': async (call) => {
    const stand = call.stand();
    call.script({ stand });
    const asking = call.ask();
    await stand.reached;
    await call.loseProcess();
    await call.untilState('failed');
    stand.goOn();
    expect(await asking).toMatchObject({ body: { charged: false } });
    expect(await call.spent()).toBe(0n);
    await expectBought(call);
  },
  'The settlement is refused': async (call) => {
    const stand = call.stand();
    // It does not end by itself: only a run that is cancelled leaves it.
    call.script({ stand }, begun, { stand: call.stand() });
    const opening = call.open();
    await stand.reached;
    await call.emptyWallet();
    stand.goOn();
    const { response } = await opening;
    expect(response.status).toBe(402);
    expect(decodePaymentRequiredHeader(response.headers.get('PAYMENT-REQUIRED') ?? '')).toMatchObject({
      error: 'invalid_exact_evm_insufficient_balance',
    });
    await call.untilLeft();
    await call.untilState('unpaid');
    expect(await call.earned()).toBe(0n);
  },
  'The upstream breaks off after the first output': owed({ cut: true }),
  'The upstream sends an error after the first output': owed(broken),
  'The stream ends without a finish reason': owed(),
  'The run exceeds its time limit after the first output': async (call) => {
    call.script(begun, { stand: call.stand() });
    await expectOwed(call, await (await call.open()).rest());
  },
  'A content filter cuts the answer after the first output': async (call) => {
    call.script(begun, delta('', 'content_filter'), DONE);
    const read = await (await call.open()).rest();
    expect(read.at(-1)).toMatchObject({ event: 'error', data: { code: 'content_refused', charged: true } });
    expect(read.at(-1)?.data).toMatchObject({
      detail: expect.stringMatching(/0x[0-9a-f]{64}/),
      next: expect.stringContaining('refund'),
    });
    expect(await call.spent()).toBe(PRICE);
    await call.letTimePass();
    expect(await call.ask()).toMatchObject({ body: { code: 'content_refused', charged: true } });
    expect(call.runs()).toBe(1);
  },
  'The token limit cuts the answer': async (call) => {
    call.script(begun, delta('', 'length'), usageChunk('0.0001', 'length'), DONE);
    const read = await (await call.open()).rest();
    expect(read.at(-1)).toMatchObject({ event: 'done', data: { finishReason: 'length' } });
    expect(await call.spent()).toBe(PRICE);
  },
  'The stream ends without [DONE] or usage': async (call) => {
    call.script(begun, delta('', 'stop'));
    const read = await (await call.open()).rest();
    expect(listNames(read)).toEqual(['meta', 'delta', 'usage', 'receipt', 'done']);
    expect(await call.spent()).toBe(PRICE);
  },
  'The buyer leaves after the first output': async (call) => {
    const stand = call.stand();
    call.script(begun, { stand }, delta(' and half'), ...ended);
    const { until, leave } = await call.open();
    const read = await until('delta');
    leave();
    stand.goOn();
    await call.untilState('settled');
    const rest = await (await call.open(read.at(-1)?.id)).rest();
    expect([toText(rest), rest.at(-1)?.event]).toEqual([' and half', 'done']);
    expect([await call.spent(), call.runs()]).toEqual([PRICE, 1]);
  },
  'The process dies after the settlement': async (call) => {
    const stand = call.stand();
    call.script(begun, { stand });
    const { until } = await call.open();
    const read = await until('delta');
    call.script(delta('whole'), ...ended);
    await call.loseProcess();
    await expectMadeAnew(call, read.at(-1)?.id);
  },
};

/** These stop the chain for everybody. */
const alone: typeof rows = {
  'The settlement is not known': async (call) => {
    let isSent = false;
    world.current.rpc.plan((methods) => {
      isSent ||= methods.includes('eth_sendRawTransaction');
      return isSent ? 'drop after' : null;
    });
    call.script(begun, ...ended);
    const asked = await call.ask().finally(() => world.current.rpc.plan(() => null));
    expect(asked).toMatchObject({ status: 503, body: { code: 'settlement_pending' } });
    expect(asked.body).not.toHaveProperty('charged');
    await call.untilState('settled');
    expect(toText(await (await call.open()).rest())).toBe('half');
    expect([await call.spent(), call.runs()]).toEqual([PRICE, 1]);
  },
};

// Else so long that no run ends by its limit while its test waits.
const make = (name: string) => world.current.makeCall({ timeoutSeconds: name.includes('time limit') ? 5 : 300 });

describe.concurrent('an interrupted stream', () => {
  test.each(Object.entries(rows))('%s', async (name, check) => {
    await expect(make(name).then(check)).resolves.toBeUndefined();
  });
});

describe('an interrupted stream', () => {
  test.each(Object.entries(alone))('%s', async (name, check) => {
    await expect(make(name).then(check)).resolves.toBeUndefined();
  });
});

test('docs/charging.md has a row for each of these, and no other', async () => {
  const text = await readFile(new URL('../docs/charging.md', import.meta.url), 'utf8');
  const cells = [...text.matchAll(/^\| (.+?) \|/gm)]
    .map(([, cell]) => cell)
    .filter((cell) => !/^(Case|-+)$/.test(cell ?? ''));
  // Those of a process that stops need one of their own.
  const stops = await readFile(new URL('shutdown.test.ts', import.meta.url), 'utf8');
  const stopped = [...stops.matchAll(/^  test\('(.+?)'/gm)].map(([, name]) => name);
  const tested = [...Object.keys(rows), ...Object.keys(alone), ...stopped];
  expect(new Set(cells)).toEqual(new Set(tested));
  expect(cells).toHaveLength(tested.length);
});
