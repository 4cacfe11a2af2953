import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, type Dispatcher } from 'undici';
import { startChain } from '#sandbox/index.ts';
import { findFreePort } from '../tests/support/free-port.ts';
import { startChild, type Child } from './child.ts';
import { compare, median, type Round, type Side } from './compare.ts';
import { PRICE_USDC } from './open-world.ts';
import { perPart } from './processor-time.ts';
import { openCreator, publishDraft } from './publish-resource.ts';
import { makeWallet, NETWORK, readOffer, signPayment, toPrivateKey, type Wallet } from './sign-payments.ts';

const ROUTE = '/v1/chat/completions';
const TOGETHER = 1_000;
const IN_FLIGHT = 16;
const ROUND_MS = 2_500;
const FIRST_BYTES = 200;
const PAYERS = 50;
const SETTLERS = 6;
const GAS_WEI = 10n ** 21n;
const AIM_RATIO = 0.6;
const AIM_DELAY_MS = 2;
const MIB = 1024 * 1024;
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Memory {
  rss: number;
  heapUsed: number;
  external: number;
}

interface StreamBench {
  sourceUrl: string;
  pipe: { url: string; pid: number };
  farebox: { pid: number; readMemory(): Promise<Memory> };
  freeUrl: string;
  paidUrl: string;
  fund(wallet: Wallet): Promise<unknown>;
  agent: Dispatcher;
}

/** A stream of 200 chunks beside a bare pipe, how much later its first byte comes, and a thousand of them at once. */
export async function measureStreams(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const bench = await openBench(stack);
  await compare({
    title: `Streams of 200 chunks, ${IN_FLIGHT} at once, nobody pays`,
    unit: 'streams',
    rounds: 6,
    aim: AIM_RATIO,
    ours: toSide(bench, { name: 'Farebox', url: bench.freeUrl, pid: bench.farebox.pid }),
    theirs: toSide(bench, { name: 'node:http pipe', ...bench.pipe }),
  });
  await measureFirstBytes(bench);
  await measureTogether(bench);
}

async function openBench(stack: AsyncDisposableStack): Promise<StreamBench> {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-streams-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const place = { folder: join(folder, 'chain'), port: await findFreePort(), snapshotSeconds: 3600 };
  const chain = await startChain({ ...place, log: quiet });
  stack.defer(() => chain.stop());
  const source = await start('stream-source.ts', String(TOGETHER), stack);
  const pipe = await start('stream-pipe.ts', source.said.url, stack);
  const settlers = Array.from({ length: SETTLERS }, makeWallet);
  for (const { address } of settlers) {
    await chain.fund(address, GAS_WEI);
  }
  const server = startServer({
    PORT: '0',
    DATA_DIR: join(folder, 'data'),
    RPC_URLS: `${NETWORK}=${chain.rpcUrl}`,
    SETTLER_PRIVATE_KEYS: settlers.map(toPrivateKey).join(','),
    UPSTREAM_ORIGINS: source.said.url,
    // Each client comes from a network of its own, or calls would be limited.
    TRUSTED_PROXY_HOPS: '1',
    LOG_LEVEL: 'error',
  });
  stack.defer(async () => {
    server.kill('SIGTERM');
    await once(server, 'exit');
  });
  const { url } = await ask<{ url: string }>(server);
  const payTo = makeWallet().address;
  const config = {
    model: 'bench/two-hundred',
    systemPrompt: 'Write about {topic}{/topic}.',
    upstream: { type: 'chat_completions', baseUrl: `${source.said.url}/v1`, apiKeySecret: null },
  };
  const draft = { kind: 'prompt_template', settlementPoint: 'at_first_output', timeoutSeconds: 300, config };
  const agent = new Agent({ connections: TOGETHER + IN_FLIGHT });
  stack.defer(() => agent.close());
  const call = await openCreator(url, 'bench');
  await publishDraft(call, { ...draft, payTo, slug: 'free', priceUsdc: '0' });
  await publishDraft(call, { ...draft, payTo, slug: 'paid', priceUsdc: PRICE_USDC });
  return {
    sourceUrl: `${source.said.url}${ROUTE}`,
    pipe: { url: `${pipe.said.url}${ROUTE}`, pid: pipe.pid },
    farebox: { pid: server.pid ?? 0, readMemory: () => ask<Memory>(server, 'memory') },
    freeUrl: `${url}/@bench/free`,
    paidUrl: `${url}/@bench/paid`,
    fund: ({ address }) => chain.faucet.send(address),
    agent,
  };
}

async function start(script: string, arg: string, stack: AsyncDisposableStack): Promise<Child<{ url: string }>> {
  const child = await startChild<{ url: string }>(join(import.meta.dirname, script), { args: [arg] });
  stack.defer(() => child.stop());
  return child;
}

function startServer(environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, ['--expose-gc', join(import.meta.dirname, 'streams-server.ts')], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...environment },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

async function ask<Said>(server: ChildProcess, question?: string): Promise<Said> {
  const answered = once(server, 'message');
  if (question !== undefined) {
    server.send(question);
  }
  const [said] = (await answered) as [Said];
  return said;
}

let networks = 0;
/** A network of IPv6 that has not asked before. */
const nextNetwork = (): string => {
  networks += 1;
  return `2001:db8:${Math.floor(networks / 65_536).toString(16)}:${(networks % 65_536).toString(16)}::1`;
};

interface Read {
  /** To the first event with text. */
  firstMs: number;
  text: string;
}

async function read(
  bench: StreamBench,
  asked: { url: string; topic: string; payment?: string; onFirst?(): void },
): Promise<Read> {
  const { origin, pathname } = new URL(asked.url);
  const startedAt = performance.now();
  const { statusCode, body } = await bench.agent.request({
    origin,
    path: pathname,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      'x-forwarded-for': nextNetwork(),
      ...(asked.payment === undefined ? {} : { 'payment-signature': asked.payment }),
    },
    body: JSON.stringify({ topic: asked.topic }),
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const pieces: string[] = [];
  let firstMs = 0;
  for await (const piece of body) {
    pieces.push(String(piece));
    if (firstMs === 0 && String(piece).includes('stream ')) {
      firstMs = performance.now() - startedAt;
      asked.onFirst?.();
    }
  }
  const text = pieces.join('');
  if (statusCode !== 200 || !/event: done|\[DONE\]/.test(text)) {
    throw new Error(`${asked.url} answered ${statusCode}: ${text.slice(-500)}`);
  }
  return { firstMs, text };
}

function toSide(bench: StreamBench, { name, url, pid }: { name: string; url: string; pid: number }): Side {
  const round = async (): Promise<Round> => {
    let streams = 0;
    const until = performance.now() + ROUND_MS;
    const work = async (): Promise<void> => {
      while (performance.now() < until) {
        await read(bench, { url, topic: 'rain' });
        streams += 1;
      }
    };
    const run = async (): Promise<number> => {
      await Promise.all(Array.from({ length: IN_FLIGHT }, work));
      return streams;
    };
    const { parts, ...rest } = await perPart(pid, run);
    return { perSecond: (parts * 1000) / ROUND_MS, ...rest };
  };
  return { name, warmUp: round, round };
}

/** One stream after the other, which pauses after its first chunk, so that nothing waits for anything else. */
async function measureFirstBytes(bench: StreamBench): Promise<void> {
  console.log('\nThe first text, one stream after the other: how much later than from the upstream itself');
  const wallets = Array.from({ length: PAYERS }, makeWallet);
  await Promise.all(wallets.map(bench.fund));
  const offer = await readOffer(bench.paidUrl);
  const payments = Array.from(
    { length: FIRST_BYTES },
    (_, at) => signPayment(wallets[at % PAYERS] as Wallet, offer).header,
  );
  const took = { direct: [] as number[], pipe: [] as number[], free: [] as number[], paid: [] as number[] };
  for (const payment of payments) {
    const topic = 'pause';
    took.direct.push((await read(bench, { url: bench.sourceUrl, topic })).firstMs);
    took.pipe.push((await read(bench, { url: bench.pipe.url, topic })).firstMs);
    took.free.push((await read(bench, { url: bench.freeUrl, topic })).firstMs);
    took.paid.push((await read(bench, { url: bench.paidUrl, topic, payment })).firstMs);
  }
  const base = median(took.direct);
  const tell = (name: string, times: readonly number[], more = ''): void =>
    console.log(`  ${name.padEnd(52)} ${(median(times) - base).toFixed(2)} ms at p50${more}`);
  tell('node:http pipe', took.pipe);
  const delayMs = median(took.free) - base;
  tell(
    'Farebox, nobody pays',
    took.free,
    `   aim ${AIM_DELAY_MS} ms: ${delayMs <= AIM_DELAY_MS ? 'reached' : 'MISSED'}`,
  );
  tell('Farebox, paid: verified, claimed, settled on the chain', took.paid);
}

/** A thousand paid streams that all stand in their middle at the same moment. */
async function measureTogether(bench: StreamBench): Promise<void> {
  console.log(`\n${TOGETHER} paid streams at once`);
  const offer = await readOffer(bench.paidUrl);
  const run = async (): Promise<number> => {
    const wallets = Array.from({ length: TOGETHER }, makeWallet);
    await Promise.all(wallets.map(bench.fund));
    const startedAt = performance.now();
    const all: Promise<Read>[] = [];
    const left = [...wallets];
    // So many begin at a time; each stands in its middle until the last one does.
    const begin = async (): Promise<void> => {
      for (let wallet = left.pop(); wallet; wallet = left.pop()) {
        const begun = Promise.withResolvers<void>();
        const payment = signPayment(wallet, offer).header;
        const reading = read(bench, { url: bench.paidUrl, topic: 'together', payment, onFirst: begun.resolve });
        all.push(reading);
        await Promise.race([begun.promise, reading]);
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, begin));
    if ((await Promise.all(all)).some(({ text }) => !text.includes('event: receipt'))) {
      throw new Error('A stream came without its receipt.');
    }
    return performance.now() - startedAt;
  };
  // The first thousand make what is kept: code, connections, prepared statements.
  const memories: Memory[] = [];
  for (let round = 0; round < 3; round += 1) {
    const tookMs = await run();
    const memory = await bench.farebox.readMemory();
    memories.push(memory);
    const { rss, heapUsed, external } = memory;
    console.log(
      `  ${TOGETHER} complete in ${(tookMs / 1000).toFixed(1)} s; after GC: heap ${toMib(heapUsed)}, external ${toMib(external)}, RSS ${toMib(rss)}`,
    );
  }
  const [first, last] = [memories[1], memories.at(-1)];
  const grownBytes = (last?.heapUsed ?? 0) - (first?.heapUsed ?? 0);
  console.log(
    `  heap grown by ${toMib(grownBytes)} from the second thousand to the third   aim below 8 MiB: ${grownBytes < 8 * MIB ? 'reached' : 'MISSED'}`,
  );
}

function toMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
