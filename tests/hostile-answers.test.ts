import { describe, expect, test } from 'vitest';
import { comment, done, endless, events, finished, spoken, useHostileUpstream } from './support/hostile-upstream.ts';
import { payFor } from './support/paid-request.ts';
import { bytes, event, type Step } from './support/scripted-upstream.ts';
import { chunk, completion, stream } from './support/upstream-shapes/shape.ts';

/** An upstream that is odd, and answers all the same; and one that turns bad after money has moved. */

const world = useHostileUpstream();
const good = `${event(spoken)}${event(finished)}${done}`;
const toByte = (byte: number) => Buffer.from([byte]);
const toLines = (value: object) => `data: ${JSON.stringify(value, null, 1).replaceAll('\n', '\ndata: ')}\n\n`;
const whole = JSON.stringify(completion({ content: 'Ore.' }));

const usage = (given: string) => `data: {"choices":[],"usage":${given}}\n\n`;

const shapes: [string, () => Step][] = [
  ['[DONE] twice', () => events(spoken, finished, done, done)],
  ['text after [DONE]', () => events(spoken, finished, done, chunk({ content: ' And more.' }))],
  ['gigabytes after [DONE]', () => endless('x'.repeat(65_536), { first: `${event(spoken)}${event(finished)}${done}` })],
  ['comments between all events', () => events(comment, spoken, comment, comment, finished, comment, done, comment)],
  ['every byte by itself', () => bytes([...Buffer.from(`\uFEFF${good}`.replaceAll('\n', '\r\n'))].map(toByte))],
  ['an event over several lines', () => events(toLines(spoken), toLines(finished), done)],
  ['an end without [DONE] or a blank line', () => bytes([good.slice(0, good.indexOf(done)).trimEnd()])],
  ['events without choices around it', () => events({ choices: [] }, spoken, { choices: [] }, finished, {}, done)],
  ['CR alone as line ends', () => bytes([good.replaceAll('\n', '\r')])],
  ['CRLF and a byte order mark', () => bytes([`\uFEFF${good}`.replaceAll('\n', '\r\n')])],
  ['names of events, ids and retry', () => events(`event: x\nid: 1\nretry: 1\n${event(spoken)}`, finished, done)],
  ['JSON behind blanks that keep the connection', () => bytes([' \n', ' \n', whole], { type: 'application/json' })],
  ['a stream that is called JSON', () => bytes([event(spoken), event(finished), done], { type: 'application/json' })],
  [
    'a stream without a type',
    () => (response) => void response.writeHead(200).end(`${event(spoken)}${event(finished)}`),
  ],
  [
    'usage that is not a number',
    () =>
      events(
        spoken,
        finished,
        usage('{"prompt_tokens":"NaN","completion_tokens":null,"total_tokens":{},"cost":"NaN"}'),
        done,
      ),
  ],
  [
    'usage below nothing',
    () => events(spoken, finished, usage('{"prompt_tokens":-5,"completion_tokens":-1e9,"cost":-12.5}'), done),
  ],
  [
    'usage beyond all numbers',
    () =>
      events(
        spoken,
        finished,
        usage('{"prompt_tokens":1e400,"completion_tokens":9007199254740993,"cost":1e999}'),
        done,
      ),
  ],
  ['usage that is a list', () => events(spoken, finished, usage('[1,2]'), done)],
  [
    'a cost of many digits',
    () =>
      events(spoken, finished, usage(`{"prompt_tokens":1,"completion_tokens":1,"cost":0.${'1'.repeat(500)}}`), done),
  ],
  [
    'members that belong to objects',
    () => events({ ...spoken, __proto__: { x: 1 }, constructor: { y: 1 } }, finished, done),
  ],
];

describe('a usable answer for its price, once', () => {
  test.each(shapes)('%s', async (_what, step) => {
    const { answer, paid, later, paidInAll, asked, usage: log } = await world.buy(step());
    expect(answer).toMatchObject({ status: 200, body: { response: 'Ore.', receipt: { paidUsdc: '0.01' } } });
    expect([paid, paidInAll, asked.length]).toEqual([10_000, 10_000, 1]);
    expect(later.body).toEqual(answer.body);
    expect(log).toMatchObject([{ status: 'success', earnedUsdc: '0.01' }]);
    const { inputTokens, outputTokens, costUsd } = log[0] ?? {};
    for (const tokens of [inputTokens, outputTokens]) {
      expect(tokens === null || (Number.isSafeInteger(tokens) && Number(tokens) >= 0)).toBe(true);
    }
    expect(costUsd === null || /^"\d+(\.\d+)?"$/.test(JSON.stringify(costUsd))).toBe(true);
  });
});

describe('a stream that is paid at its first output', () => {
  const live = { settlementPoint: 'at_first_output' };

  async function read(step: Step) {
    const { url } = await world.publish(live);
    const buyer = await world.app.makeBuyer();
    const payment = await payFor(buyer, url);
    world.upstream.script(step);
    const headers = { 'Content-Type': 'application/json', Accept: 'text/event-stream', 'PAYMENT-SIGNATURE': payment };
    const ask = async () =>
      (await fetch(url, { method: 'POST', headers, body: JSON.stringify({ topic: 'ore' }) })).text();
    const text = await ask();
    const names = [...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name);
    return { text, names, ask, spent: async () => 10_000_000n - (await world.app.balanceOf(buyer.address)) };
  }

  test.each(shapes)('is whole, paid once and read again for nothing: %s', async (_what, step) => {
    const { text, names, ask, spent } = await read(step());
    expect(text).toMatch(/^event: delta\ndata: .*"Ore\."/m);
    expect(text).not.toContain('And more.');
    expect(names.filter((name) => ['delta', 'receipt', 'done', 'error'].includes(name ?? ''))).toEqual([
      'delta',
      'receipt',
      'done',
    ]);
    expect(await spent()).toBe(10_000n);
    world.upstream.script(events({ error: { message: 'asked twice' } }));
    expect(await ask()).toBe(text);
    expect(await spent()).toBe(10_000n);
  });

  test('ends once, although [DONE] comes twice and text behind it', async () => {
    const { text, names, spent } = await read(events(spoken, finished, done, chunk({ content: ' More.' }), done));
    expect(names.filter((name) => name === 'done')).toHaveLength(1);
    expect(text).not.toContain('More.');
    expect(await spent()).toBe(10_000n);
  });

  test('that writes without end is stopped, and its answer is owed: the same payment buys a whole one', async () => {
    const { text, names, ask, spent } = await read(endless(event(chunk({ content: 'x'.repeat(65_536) }))));
    expect(names.at(-1)).toBe('error');
    expect(text).toContain('answer_owed');
    expect(text.length).toBeLessThan(1_500_000);
    expect(await spent()).toBe(10_000n);
    world.upstream.script(events(...stream('Well again.')));
    await expect.poll(ask, { timeout: 30_000, interval: 500 }).toContain('Well again.');
    expect(await spent()).toBe(10_000n);
  });

  test('that sends nothing but comments and an error costs nothing', async () => {
    const { text, spent } = await read(events(comment, comment, { error: { message: 'no' } }));
    expect(JSON.parse(text)).toMatchObject({ code: 'upstream_failed', charged: false });
    expect(await spent()).toBe(0n);
  });
});
