import { beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { bind, operation, Problem, type BoundOperation } from '#kit/index.ts';
import { createResource, listResources, publishResource } from '#resources/index.ts';
import { useTestDatabase } from '../tests/support/test-database.ts';
import { openTestPorts } from '../tests/support/perform.ts';
import { NETWORK, openToyResources } from '../tests/support/toy-resources.ts';
import { demoCreator, demoResources } from './demo-data.ts';
import { seedDemo } from './seed-demo.ts';

const database = useTestDatabase();
const slugs = demoResources.map(({ slug }) => slug).sort();
let deps: ReturnType<typeof openToyResources>['deps'];
let userId: string;

beforeEach(async () => {
  const toy = openToyResources(database.current);
  ({ userId } = await toy.addUser(`demo${Math.random().toString(36).slice(2, 10)}`));
  const configSchema = z.record(z.string(), z.unknown());
  const kinds = ['openrouter_instant', 'prompt_template'].map((name) => {
    return { ...toy.kind, name, configSchema, checkPublishable: async () => [], integrationOf: () => null };
  });
  deps = { ...toy.deps, kinds };
});

/** The operations that seeding calls; the key of the simulated OpenRouter is there already. */
function listOperations(): BoundOperation[] {
  const key = operation({
    name: 'integrations.openrouter.get',
    route: 'GET /key',
    summary: '',
    scope: 'integrations:read',
    input: z.object({}),
    output: z.object({}),
    run: async () => ({}),
  });
  return [bind(key, {}), bind(createResource, deps), bind(listResources, deps), bind(publishResource, deps)];
}

const seed = (operations = listOperations()) =>
  seedDemo({
    ports: openTestPorts(database.current),
    operations,
    ensureUser: async () => ({ userId, username: demoCreator.username }),
    apiKey: 'unused',
    network: NETWORK,
  });

async function findPublished(): Promise<string[]> {
  const { rows } = await database.current.system.query<{ slug: string }>(
    `SELECT slug FROM x402_resources WHERE owner_id = $1 AND state = 'published' ORDER BY slug`,
    [userId],
  );
  return rows.map(({ slug }) => slug);
}

test('the demo resources are made and published once, however often the server starts', async () => {
  await seed();
  await seed();
  expect(await findPublished()).toEqual(slugs);
});

test('a start that was stopped between making and publishing a demo resource is finished by the next', async () => {
  const interrupted = listOperations().map((one) =>
    one.name === 'resources.publish' ? { ...one, prepare: () => Promise.reject(new Error('killed')) } : one,
  );
  await expect(seed(interrupted)).rejects.toThrow('killed');
  expect(await findPublished()).toEqual([]);
  await seed();
  expect(await findPublished()).toEqual(slugs);
});

test('processes that start at the same time make the demo resources together', async () => {
  await Promise.all([seed(), seed(), seed()]);
  expect(await findPublished()).toEqual(slugs);
});

test('a demo resource that cannot be published stops the start with its reason', async () => {
  const broken = listOperations().map((one) =>
    one.name === 'resources.publish'
      ? { ...one, prepare: () => Promise.reject(new Problem('unprocessable', { detail: 'No model.' })) }
      : one,
  );
  await expect(seed(broken)).rejects.toThrow('No model.');
});
