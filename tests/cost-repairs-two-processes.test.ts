import { beforeAll, beforeEach, expect, test } from 'vitest';
import { demoKeys } from '../sandbox/openrouter/demo-keys.ts';
import type { ServerChild } from './support/server-child.ts';
import { send, useWorld } from './support/server-world.ts';
import type { Creator } from './support/start-app.ts';

/* What runs did cost that told none is asked for by two servers. */
const world = useWorld();
let one: ServerChild;
let other: ServerChild;
let [pat, ruth]: Creator[] = [];

beforeAll(async () => {
  world.current.simulator.control.setCredits(demoKeys.freeTier, '50');
  [one, other] = await Promise.all([startSweeper(), startSweeper()]);
  // The operator's key pays for the one, his own for the other.
  pat = await world.current.makeCreator(other, 'pat');
  await pat.call('DELETE', '/api/user/integrations/openrouter');
  ruth = await world.current.makeCreator(other, 'ruth');
});
beforeEach(() => world.current.simulator.control.clearFaults());

function startSweeper(): Promise<ServerChild> {
  return world.current.startServer({
    OPENROUTER_API_KEY: demoKeys.freeTier,
    OPENROUTER_API_KEY_CREATORS: 'pat',
  });
}

/** Calls of which nobody is told what they cost: every second ends with an answer, the others break off. */
async function buyUntold(
  creator: Creator | undefined,
  { server, slug, count }: { server: ServerChild; slug: string; count: number },
) {
  const { control } = world.current.simulator;
  const published = await creator?.publish({ slug });
  const url = `${server.url}/@${creator?.username}/${slug}`;
  for (let index = 0; index < count; index += 1) {
    const buyer = await world.current.makeBuyer(url, `${slug} ${index}`);
    control.fail(index % 2 === 0 ? 'usage_missing' : 'stream_cut', { times: 1 });
    expect((await send(url, buyer))?.status).toBe(index % 2 === 0 ? 200 : 502);
  }
  return published?.id ?? '';
}

interface Lookup {
  generation_id: string;
  is_done: boolean;
}

async function readLookups(resourceId: string): Promise<Lookup[]> {
  const { rows } = await world.current.database.system.query<Lookup>(
    `SELECT usage_cost_lookups.generation_id, done_at IS NOT NULL AS is_done FROM usage_cost_lookups
     JOIN x402_prompt_template_usage_logs USING (call_id) WHERE resource_id = $1`,
    [resourceId],
  );
  return rows;
}

const makeAllDue = () =>
  world.current.database.system.query('UPDATE usage_cost_lookups SET next_at = now() WHERE done_at IS NULL');

async function untilAllFound(resourceId: string): Promise<string[]> {
  await expect
    .poll(async () => (await readLookups(resourceId)).filter(({ is_done: isDone }) => !isDone), { timeout: 30_000 })
    .toEqual([]);
  return (await readLookups(resourceId)).map(({ generation_id: generationId }) => generationId);
}

/** In billionths of a dollar, so that sums are exact. */
const toNano = (usd: unknown): number => Math.round(Number(usd) * 1e9);

async function sumBilled(generationIds: string[], key: string): Promise<number> {
  const costs = await Promise.all(
    generationIds.map(async (generationId) => {
      const headers = { Authorization: `Bearer ${key}` };
      const told = await fetch(`${world.current.simulator.url}/generation?id=${generationId}`, { headers });
      return toNano(((await told.json()) as { data: { total_cost: number } }).data.total_cost);
    }),
  );
  return costs.reduce((sum, cost) => sum + cost, 0);
}

/** What the usage log, the summary and, where the operator's key paid, the share of the day say that the calls did cost. */
async function readSums(creator: Creator | undefined, resourceId: string) {
  const { rows } = await world.current.database.system.query<{ usd: string; states: string[] }>(
    `SELECT sum(cost_usd)::text AS usd, array_agg(DISTINCT cost_state) AS states
     FROM x402_prompt_template_usage_logs WHERE resource_id = $1`,
    [resourceId],
  );
  const summary = await creator?.call('GET', `/api/usage/summary?resourceId=${resourceId}`);
  const current = summary?.body['current'] as { costUsd: string; platformCostUsd: string; unknownCostCalls: number };
  return {
    states: rows[0]?.states,
    logged: toNano(rows[0]?.usd),
    summed: toNano(current.costUsd),
    onPlatform: toNano(current.platformCostUsd),
    unknown: current.unknownCostCalls,
  };
}

/** The same where every cost is known and fell to this key. */
const toFound = (billed: number, key: 'own' | 'platform') => ({
  states: ['found'],
  logged: billed,
  summed: key === 'own' ? billed : 0,
  onPlatform: key === 'own' ? 0 : billed,
  unknown: 0,
});

async function readShare() {
  const share = (await pat?.call('GET', '/api/user/platform-share'))?.body;
  return [toNano(share?.['spentUsd']), Number(share?.['reservedUsd'])];
}

test('both sweep: each cost is counted once, as the provider billed it', async () => {
  const [before = 0] = await readShare();
  const shared = await buyUntold(pat, { server: one, slug: 'both', count: 4 });
  const own = await buyUntold(ruth, { server: other, slug: 'own', count: 3 });
  await makeAllDue();
  const [ofShared, ofOwn] = [await untilAllFound(shared), await untilAllFound(own)];
  expect([ofShared.length, ofOwn.length]).toEqual([4, 3]);
  const billed = await sumBilled(ofShared, demoKeys.freeTier);
  expect(await readSums(pat, shared)).toEqual(toFound(billed, 'platform'));
  expect(await readShare()).toEqual([before + billed, 0]);
  const billedOwn = await sumBilled(ofOwn, world.current.simulator.keys.healthy);
  expect(await readSums(ruth, own)).toEqual(toFound(billedOwn, 'own'));
});

test('kill -9 in the middle of lookups: another process does them, and each cost is counted once', async () => {
  const { upstream } = world.current.gates;
  const doomed = await startSweeper();
  const [before = 0] = await readShare();
  const reached = upstream.hold((_body, path) => path.includes('/generation?'), 'before');
  const shared = await buyUntold(pat, { server: doomed, slug: 'killed', count: 4 });
  await reached;
  await doomed.kill();
  upstream.letGo();
  await makeAllDue();
  const generationIds = await untilAllFound(shared);
  const billed = await sumBilled(generationIds, demoKeys.freeTier);
  expect(await readSums(pat, shared)).toEqual(toFound(billed, 'platform'));
  expect(await readShare()).toEqual([before + billed, 0]);
});
