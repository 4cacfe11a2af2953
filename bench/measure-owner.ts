import { join } from 'node:path';
import { Pool } from 'undici';
import { startChild } from './child.ts';
import { describe, median, spread, type Round } from './compare.ts';
import { openFarebox, type BenchWorld } from './open-world.ts';
import { perPart } from './processor-time.ts';
import { MAX_TOKENS, MODEL } from './publish-resource.ts';

const ROUNDS = 5;
const ROUND_MS = 1500;
const WARM_UP_MS = 3000;
/** Times the throughput, and the same fraction of the added time. */
const AIM = 3;
const TOPIC = 'rain';

interface Target {
  name: string;
  pid: number;
  url: string;
  headers: Record<string, string>;
  body: string;
  readText(json: string): string | undefined;
}

interface Three<T> {
  straight: T;
  ours: T;
  theirs: T;
}

/** A call of the owner's own resource without payment, against the same prompt through Portkey's gateway. */
export async function measureOwner(world: BenchWorld): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = import.meta.dirname;
  const upstream = await startChild<{ url: string }>(join(folder, 'replaying-upstream.ts'), {
    args: [world.simulator.url],
  });
  stack.defer(() => upstream.stop());
  const { apiKey } = world.simulator;
  const simulator = { url: upstream.said.url, apiKey };
  const farebox = await openFarebox(stack, { ...world, simulator }, { OWNER_CALLS_PER_MINUTE: '10000000' });
  const portkey = await startChild<{ url: string }>(join(folder, 'peers/portkey.mjs'));
  stack.defer(() => portkey.stop());
  const chat = toChat(apiKey);
  const targets: Three<Target> = {
    straight: {
      ...chat,
      name: 'straight to the upstream',
      pid: upstream.pid,
      url: `${simulator.url}/chat/completions`,
    },
    ours: {
      name: 'Farebox, its owner',
      pid: farebox.pid,
      url: farebox.resourceUrl,
      headers: { authorization: `Bearer ${farebox.ownerKey}`, 'x-owner-test': 'true' },
      body: JSON.stringify({ topic: TOPIC }),
      readText: (json) => (JSON.parse(json) as { response?: string }).response,
    },
    theirs: {
      ...chat,
      name: "Portkey's gateway",
      pid: portkey.pid,
      url: `${portkey.said.url}/v1/chat/completions`,
      headers: {
        ...chat.headers,
        'x-portkey-provider': 'openrouter',
        'x-portkey-custom-host': simulator.url.replace(/\/v1$/, ''),
      },
    },
  };
  await assertSame(targets);
  console.log("\nA call without payment by the resource's owner; the upstream replays the simulator's bytes");
  await measureAt(32, targets);
  await measureAt(1, targets);
}

/** What a client of OpenRouter, or of Portkey in front of it, sends for the same answer. */
function toChat(apiKey: string): Pick<Target, 'headers' | 'body' | 'readText'> {
  return {
    headers: { authorization: `Bearer ${apiKey}` },
    body: JSON.stringify({
      model: MODEL,
      messages: [{ role: 'system', content: `Write a haiku about ${TOPIC}.` }],
      max_tokens: MAX_TOKENS,
    }),
    readText: (json) =>
      (JSON.parse(json) as { choices?: { message?: { content?: string } }[] }).choices?.[0]?.message?.content,
  };
}

async function assertSame({ straight, ours, theirs }: Three<Target>): Promise<void> {
  const texts: (string | undefined)[] = [];
  for (const target of [straight, ours, theirs]) {
    const pool = new Pool(new URL(target.url).origin, { connections: 1 });
    texts.push(target.readText(await send(pool, target)));
    await pool.close();
  }
  if (!texts[0] || new Set(texts).size > 1) {
    throw new Error(`The three do not answer the same: ${JSON.stringify(texts)}`);
  }
}

async function measureAt(inFlight: number, targets: Three<Target>): Promise<void> {
  for (const target of Object.values(targets)) {
    await sendFor(WARM_UP_MS, inFlight, target);
  }
  const rounds: Three<Round>[] = [];
  for (let left = ROUNDS; left > 0; left -= 1) {
    rounds.push({
      straight: await sendFor(ROUND_MS, inFlight, targets.straight),
      ours: await sendFor(ROUND_MS, inFlight, targets.ours),
      theirs: await sendFor(ROUND_MS, inFlight, targets.theirs),
    });
  }
  console.log(`  ${inFlight} in flight`);
  for (const side of ['straight', 'ours', 'theirs'] as const) {
    const own = rounds.map((round) => round[side]);
    console.log(`    ${targets[side].name.padEnd(28)} ${describe(own, 'calls')}`);
  }
  const added = (side: 'ours' | 'theirs') =>
    rounds.map((round) => (round[side].medianMs ?? 0) - (round.straight.medianMs ?? 0));
  const [ours, theirs] = [added('ours'), added('theirs')];
  console.log(`    added p50: Farebox ${spread(ours, 2)} ms, Portkey ${spread(theirs, 2)} ms`);
  report(
    'throughput',
    rounds.map((round) => round.ours.perSecond / round.theirs.perSecond),
  );
  report(
    'added p50, the other way round',
    theirs.map((ms, index) => ms / (ours[index] ?? 0)),
  );
  const cpu = rounds.flatMap(({ ours: own, theirs: other }) =>
    own.cpuMicros && other.cpuMicros ? [other.cpuMicros / own.cpuMicros] : [],
  );
  if (cpu.length > 0) {
    console.log(`    ratio of processor time, the other way round ${spread(cpu, 2)}`);
  }
}

function report(what: string, ratios: readonly number[]): void {
  const verdict = median(ratios) >= AIM ? 'reached' : 'MISSED';
  console.log(`    ratio of ${what} ${spread(ratios, 2)}   aim ${AIM}: ${verdict}`);
}

/** Keeps so many calls in flight. */
async function sendFor(ms: number, inFlight: number, target: Target): Promise<Round> {
  const pool = new Pool(new URL(target.url).origin, { connections: inFlight });
  const took: number[] = [];
  const until = performance.now() + ms;
  const work = async (): Promise<void> => {
    for (let startedAt = performance.now(); startedAt < until; startedAt = performance.now()) {
      await send(pool, target);
      took.push(performance.now() - startedAt);
    }
  };
  const startedAt = performance.now();
  const { parts, ...rest } = await perPart(target.pid, async () => {
    await Promise.all(Array.from({ length: inFlight }, work));
    return took.length;
  });
  const seconds = (performance.now() - startedAt) / 1000;
  await pool.close();
  return { perSecond: parts / seconds, medianMs: median(took), ...rest };
}

async function send(pool: Pool, { name, url, headers, body }: Target): Promise<string> {
  const answer = await pool.request({
    method: 'POST',
    path: new URL(url).pathname,
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) {
    throw new Error(`${name} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
  }
  return text;
}
