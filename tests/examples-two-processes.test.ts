import { expect, test } from 'vitest';
import { send } from './support/paid-request.ts';
import { useWorld } from './support/server-world.ts';

/* Examples that several servers run for each version. */
const world = useWorld();
const topics = ['rivers', 'lakes', 'seas'];

interface Run {
  ok: boolean;
  tries: number;
}

async function readEnded(version: number): Promise<Run[]> {
  const text = 'SELECT ok, tries FROM resource_example_runs WHERE version = $1 AND ended_at IS NOT NULL';
  return (await world.current.database.system.query<Run>(text, [version])).rows;
}

/** How often each was asked of the model with this prompt. */
function countAsked(prompt: string): number[] {
  const asked = world.current.simulator.control.requests
    .filter(({ path }) => path.endsWith('/chat/completions'))
    .map(({ body }) => JSON.stringify(body));
  return topics.map((topic) => asked.filter((body) => body.includes(prompt) && body.includes(topic)).length);
}

const once = topics.map(() => 1);

test('two processes run each example once for a version; after kill -9 another runs the rest, and what was begun once more', async () => {
  const { gates, database } = world.current;
  const [one, other] = await Promise.all([world.current.startServer(), world.current.startServer()]);
  const creator = await world.current.makeCreator(one, 'ada');
  const { id } = await creator.publish({ slug: 'sampled' });
  for (const topic of topics) {
    const kept = await creator.call('POST', `/api/resources/${id}/examples`, { name: topic, input: { topic } });
    expect(kept.status).toBe(201);
  }
  await expect.poll(() => readEnded(1), { timeout: 40_000 }).toHaveLength(topics.length);
  expect(countAsked('Write about')).toEqual(once);

  await other.stop();
  const reached = gates.upstream.hold((body) => body.includes('in verse'), 'before');
  const { body } = await creator.call('GET', `/api/resources/${id}`);
  const { config } = body['draft'] as { config: object };
  await creator.call('PATCH', `/api/resources/${id}`, {
    config: { ...config, systemPrompt: 'Answer in verse about {topic}{/topic}.' },
  });
  await creator.call('POST', `/api/resources/${id}/publish`, {});
  await reached;
  await one.kill();
  gates.upstream.open();
  // As if the time had passed after which a run counts as cut off.
  const { rowCount } = await database.system.query(
    `UPDATE resource_example_runs SET started_at = now() - interval '1 hour' WHERE version = 2 AND ended_at IS NULL`,
  );
  const third = await world.current.startServer();
  await expect.poll(() => readEnded(2), { timeout: 40_000 }).toHaveLength(topics.length);
  expect(countAsked('in verse')).toEqual(once);
  const runs = await readEnded(2);
  expect(runs.filter(({ ok }) => ok)).toHaveLength(topics.length);
  expect(runs.filter(({ tries }) => tries === 2)).toHaveLength(rowCount ?? 0);
  const examples = { method: 'GET', cookie: creator.cookie };
  const shown = (await send(`${third.url}/api/resources/${id}/examples`, examples)).body as {
    items: { runs: { version: number }[] }[];
  };
  expect(shown.items.map((item) => item.runs.map(({ version }) => version))).toEqual(topics.map(() => [2, 1]));
}, 120_000);
