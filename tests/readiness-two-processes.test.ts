import { beforeAll, expect, test } from 'vitest';
import type { ServerChild } from './support/server-child.ts';
import { useWorld } from './support/server-world.ts';

/* Two servers, processes of their own, on one PostgreSQL, with the same settings. */
const world = useWorld();
const model = 'openai/gpt-4o-mini';
const path = '/@ada/essay';
const servers: ServerChild[] = [];

beforeAll(async () => {
  servers.push(...(await Promise.all([world.current.startServer(), world.current.startServer()])));
});

const ask = async (server: ServerChild | undefined) =>
  (await fetch(`${server?.url}${path}`, { method: 'POST' })).status;
const askBoth = () => Promise.all(servers.map(ask));

async function listModel(isActive: boolean): Promise<void> {
  const { system } = world.current.database;
  await system.query('UPDATE ai_models SET is_active = $2 WHERE openrouter_id = $1', [model, isActive]);
  await system.query(`SELECT pg_notify('models_changed', 'test')`);
}

test('what one process finds unable to run is off sale in all of them, logged, and back in all of them', async () => {
  const [one] = servers as [ServerChild, ServerChild];
  const creator = await world.current.makeCreator(one, 'ada');
  const { id } = await creator.publish({
    slug: 'essay',
    config: { modelId: model, systemPrompt: '{topic}{/topic}', maxTokens: 50 },
  });
  expect(await askBoth()).toEqual([402, 402]);
  await listModel(false);
  await expect.poll(askBoth, { timeout: 20_000 }).toEqual([503, 503]);
  const { rows } = await world.current.database.system.query(
    'SELECT DISTINCT status, problem FROM x402_prompt_template_usage_logs WHERE resource_id = $1',
    [id],
  );
  expect(rows).toEqual([{ status: 'refused', problem: 'unavailable' }]);
  await listModel(true);
  await expect.poll(askBoth, { timeout: 30_000 }).toEqual([402, 402]);
});
