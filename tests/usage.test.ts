import { parseAbiItem, type Hex } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';
import { connectChain } from './support/connect-chain.ts';
import { payFor, send } from './support/paid-request.ts';
import { makeAccount } from './support/pay.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp({ TRUSTED_PROXY_HOPS: '1' });
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const transferEvent = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');
let creator: Creator;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});

/** Some of the sums of a dashboard. */
interface Told {
  calls: number;
  costUsd: string;
  marginUsd: string;
  latencyMs: Record<string, number>;
}

interface Page {
  items: Record<string, unknown>[];
  nextCursor: string | null;
}

async function readUsage(query: string): Promise<Page> {
  const { status, body } = await creator.call('GET', `/api/usage?${query}`);
  expect(status).toBe(200);
  return body as unknown as Page;
}

async function readTransfers(payTo: string) {
  const chain = app.current.sandbox?.chain;
  const logs = await connectChain(chain?.rpcUrl ?? '').getLogs({
    address: chain?.token.address ?? '0x',
    event: transferEvent,
    args: { to: payTo as Hex },
    fromBlock: 0n,
  });
  return logs.map(({ transactionHash, args }) => `${transactionHash} ${args.from?.toLowerCase()} ${args.value}`).sort();
}

async function readLedger(payTo: string) {
  const { rows } = await app.current.database.system.query<{ line: string }>(
    `SELECT paid.transaction || ' ' || split_part(paid.account, ':', 2) || ' ' || got.amount_atomic AS line
     FROM ledger_entries got JOIN ledger_entries paid ON paid.call_id = got.call_id AND paid.amount_atomic < 0
     WHERE got.account = $1`,
    [`creator:${payTo.toLowerCase()}`],
  );
  return rows.map(({ line }) => line).sort();
}

describe('a paid call', () => {
  test('a paid call is answered in exactly the promised shape', async () => {
    const { url } = await creator.publish({ slug: 'shape' });
    const buyer = await app.current.makeBuyer();
    const before = Date.now();
    const answer = await send(url, { payment: await payFor(buyer, url), body: { topic: 'rivers' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('Cache-Control')).toBe('private, no-store');
    expect(answer.headers.get('Content-Type')).toMatch(/^application\/json/);
    expect(Object.keys(answer.body).sort()).toEqual([
      'finishReason',
      'model',
      'receipt',
      'response',
      'simulated',
      'usage',
    ]);
    const { usage, receipt } = answer.body as { usage: Record<string, number>; receipt: Record<string, unknown> };
    expect(usage['total_tokens']).toBe((usage['input_tokens'] ?? 0) + (usage['output_tokens'] ?? 0));
    expect(receipt).toEqual({
      transaction: answer.settlement?.transaction,
      paidUsdc: '0.01',
      network: 'eip155:84532',
      payer: buyer.address.toLowerCase(),
      resource: url,
      version: 1,
      callId: expect.stringMatching(uuid),
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect(Math.abs(Date.parse(String(receipt['at'])) - before)).toBeLessThan(60_000);
    expect(answer.settlement).toEqual({
      success: true,
      transaction: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      network: 'eip155:84532',
      payer: buyer.address.toLowerCase(),
      amount: '10000',
    });
  });

  test('a paid call of a buyer without an account is logged with everything that is known', async () => {
    const { url, id } = await creator.publish({ slug: 'log' });
    const buyer = await app.current.makeBuyer();
    const answer = await send(url, { payment: await payFor(buyer, url), body: { topic: 'a canary named Kiwi' } });
    const { receipt, usage } = answer.body as Record<string, Record<string, unknown>>;
    const { items } = await readUsage(`resourceId=${id}`);
    expect(items).toEqual([
      {
        callId: receipt?.['callId'],
        resourceId: id,
        versionId: expect.stringMatching(uuid),
        version: 1,
        at: receipt?.['at'],
        status: 'success',
        problem: null,
        cause: null,
        payer: buyer.address.toLowerCase(),
        requestId: answer.headers.get('X-Request-Id'),
        // The one that answered, by the name that the upstream gives it.
        model: expect.stringMatching(/^openai\/gpt-4o-mini/),
        provider: expect.any(String),
        generationId: expect.stringMatching(/^gen-/),
        inputTokens: usage?.['input_tokens'],
        outputTokens: usage?.['output_tokens'],
        finishReason: expect.any(String),
        latencyMs: expect.any(Number),
        firstOutputMs: expect.any(Number),
        attempts: 1,
        evidence: expect.objectContaining({ generationId: expect.stringMatching(/^gen-/) }),
        earnedUsdc: '0.01',
        costUsd: expect.stringMatching(/^0\.0+\d+$/),
        costState: null,
        measuredUsdc: null,
        expectedCostUsd: expect.stringMatching(/^0\.0+\d+$/),
        worstCostUsd: expect.stringMatching(/^0\.\d+$/),
        keySource: 'own',
        platformCostUsd: '0',
        marginUsd: expect.stringMatching(/^0\.00\d+$/),
        network: 'eip155:84532',
        transaction: answer.settlement?.transaction,
        isTest: false,
        isSimulated: true,
        isFree: false,
      },
    ]);
    expect(JSON.stringify(items)).not.toContain('Kiwi');
    expect(app.current.logged.join('')).not.toContain('Kiwi');
  });

  test('a paid call is seen in the log of its creator alone', async () => {
    const { url, id } = await creator.publish({ slug: 'private' });
    const mallory = await app.current.makeCreator('mallory');
    await send(url, { payment: await payFor(await app.current.makeBuyer(), url), body: { topic: 'rivers' } });
    const seen = await mallory.call('GET', `/api/usage?resourceId=${id}`);
    expect(seen.body).toMatchObject({ items: [] });
    expect((await fetch(`${app.current.url}/api/usage`)).status).toBe(401);
  });
});

describe('40 calls at once', () => {
  test('40 calls of all kinds at once are counted exactly, and ledger, log and chain agree', async () => {
    const payTo = makeAccount().address;
    const { url, id } = await creator.publish({ slug: 'busy', payTo });
    const { control } = app.current.sandbox?.openRouter ?? {};
    const pay = async () => payFor(await app.current.makeBuyer(), url);
    const payments: string[] = [];
    for (let index = 0; index < 24; index += 1) {
      payments.push(await pay());
    }
    control?.fail('ok_content_filter', { times: 6 });
    const body = { topic: 'rivers' };
    const answers = await Promise.all([
      // Each from an address of its own: of new wallets behind one address most would be charged first.
      ...payments.map((payment, index) =>
        send(url, { payment, body, headers: { 'X-Forwarded-For': `192.0.2.${index}` } }),
      ),
      // Replays of the first four, wrong input, no money, tests of the owner: none of them is a call that counts.
      ...payments.slice(0, 4).map((payment) => send(url, { payment, body })),
      ...payments.slice(20).map((payment) => send(url, { payment, body: { wrong: true } })),
      ...Array.from({ length: 2 }, async () => send(url, { payment: await payFor(makeAccount(), url), body })),
      ...Array.from({ length: 2 }, () =>
        send(url, { headers: { 'X-Owner-Test': 'true' }, cookie: creator.cookie, body }),
      ),
      ...Array.from({ length: 4 }, () => send(url, { body })),
    ]);
    control?.clearFaults();
    expect(answers).toHaveLength(40);
    const rows: Record<string, unknown>[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await readUsage(`resourceId=${id}&limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`);
      rows.push(...page.items);
      cursor = page.nextCursor;
    }
    const ofBuyers = rows.filter(({ isTest }) => isTest === false);
    const count = (status: string) => ofBuyers.filter((row) => row['status'] === status).length;
    // A replay that comes after its first request failed runs anew, so that the two add up to the runs.
    expect(count('success')).toBe(await readLedger(payTo).then((lines) => lines.length));
    expect(count('success')).toBeGreaterThanOrEqual(18);
    expect(rows.filter(({ isTest }) => isTest === true)).toHaveLength(2);
    const { body: shown } = await creator.call('GET', `/api/resources/${id}`);
    expect(shown['stats']).toMatchObject({
      call_count: count('success') + count('failed'),
      success_count_30d: count('success'),
      failure_count_30d: count('failed'),
      total_earned_usdc: (count('success') / 100).toString(),
      last_called_at: expect.any(String),
    });
    const paid = answers.filter(({ settlement }) => settlement?.success);
    expect(new Set(paid.map(({ body: { receipt } }) => (receipt as { callId: string }).callId)).size).toBe(
      count('success'),
    );
    const booked = await readLedger(payTo);
    expect(booked).toEqual(await readTransfers(payTo));
    expect(await app.current.balanceOf(payTo)).toBe(BigInt(count('success')) * 10_000n);
    const { rows: sums } = await app.current.database.system.query<{ total: string }>(
      'SELECT sum(amount_atomic)::text AS total FROM ledger_entries',
    );
    expect(sums).toEqual([{ total: '0' }]);
    const { rows: open } = await app.current.database.system.query(
      `SELECT state FROM calls WHERE state IN ('claimed', 'running', 'settling', 'pending')`,
    );
    expect(open).toEqual([]);
  });
});

test('the usage log can be read as CSV as well', async () => {
  const { url, id } = await creator.publish({ slug: 'csv' });
  for (const topic of ['one', 'two']) {
    await send(url, { payment: await payFor(await app.current.makeBuyer(), url), body: { topic } });
  }
  const response = await fetch(`${app.current.url}/api/usage.csv?resourceId=${id}`, {
    headers: { Cookie: creator.cookie },
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('Content-Type')).toContain('text/csv');
  const [head, ...lines] = (await response.text()).trim().split(/\r?\n/);
  expect(head).toContain('transaction');
  expect(lines).toHaveLength(2);
});

test('the dashboards tell the same over HTTP: by the hour, apart by resource, version, model and payer, and why calls failed', async () => {
  const ruth = await app.current.makeCreator('ruth');
  const { url, id } = await ruth.publish({ slug: 'told' });
  const buyers = [await app.current.makeBuyer(), await app.current.makeBuyer()];
  for (const buyer of buyers) {
    const paid = await send(url, { payment: await payFor(buyer, url), body: { topic: 'rivers' } });
    expect(paid.status).toBe(200);
  }
  app.current.sandbox?.openRouter?.control.fail('ok_content_filter', { times: 1 });
  const payment = await payFor(await app.current.makeBuyer(), url);
  expect((await send(url, { payment, body: { topic: 'rivers' } })).status).toBe(422);
  app.current.sandbox?.openRouter?.control.clearFaults();
  const read = async (path: string): Promise<Record<string, unknown>> => {
    const { status, body } = await ruth.call('GET', `/api/usage/${path}`);
    expect({ path, status }).toEqual({ path, status: 200 });
    return body;
  };
  const latencyMs = { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) };
  const sums = { calls: 3, successes: 2, failures: 1, revenueUsdc: '0.02', latencyMs };
  const { current } = (await read(`summary?resourceId=${id}`)) as { current: Told };
  expect(current).toMatchObject({ ...sums, payers: 2 });
  const { p50 = 0, p95 = 0, p99 = 0 } = current.latencyMs;
  expect([p50 > 0, p50 <= p95, p95 <= p99]).toEqual([true, true, true]);
  const { costUsd, marginUsd } = current;
  expect(Number(costUsd)).toBeGreaterThan(0);
  expect(Number(marginUsd)).toBeCloseTo(0.02 - Number(costUsd), 12);
  for (const interval of ['hour', 'day']) {
    const { items } = (await read(`series?resourceId=${id}&interval=${interval}`)) as { items: Told[] };
    expect(items.length).toBeGreaterThanOrEqual(interval === 'hour' ? 720 : 30);
    expect(items.reduce((sum, one) => sum + one.calls, 0)).toBe(3);
    expect(items.reduce((sum, one) => sum + Number(one.marginUsd), 0)).toBeCloseTo(Number(marginUsd), 12);
  }
  const named = {
    resource: { resourceId: id },
    version: { version: 1 },
    model: { model: expect.stringMatching(/4o-mini/) },
  };
  for (const [by, name] of Object.entries(named)) {
    const { items, total } = await read(`breakdown?by=${by}&resourceId=${id}`);
    expect([total, items]).toMatchObject([1, [{ ...sums, ...name, costUsd, marginUsd, before: { calls: 0 } }]]);
  }
  const byPayer = await read(`breakdown?by=payer&resourceId=${id}`);
  const paidOnce = { calls: 1, revenueUsdc: '0.01', lastCalledAt: expect.any(String) };
  expect(byPayer).toMatchObject({ total: 3, items: [paidOnce, paidOnce, { failures: 1, revenueUsdc: '0' }] });
  const paying = (byPayer['items'] as { payer: string }[]).slice(0, 2).map(({ payer }) => payer);
  expect(paying.toSorted()).toEqual(buyers.map(({ address }) => address.toLowerCase()).toSorted());
  const problems = await read(`problems?resourceId=${id}`);
  expect(problems['items']).toEqual([{ problem: 'content_refused', calls: 1, callsBefore: 0 }]);
});
