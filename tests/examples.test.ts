import { beforeAll, expect, test, vi } from 'vitest';
import { countRuns, send } from './support/paid-request.ts';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp();
let creator: Creator;

beforeAll(async () => {
  creator = await app.current.makeCreator('ada');
});

type Run = { version: number; ok: boolean; changes: { path: string }[]; costUsd: string; evidence: object };
interface Item {
  id: string;
  name: string;
  runs: Run[];
}

const keep = (owner: Creator, id: string, body: object) => owner.call('POST', `/api/resources/${id}/examples`, body);
const list = async (id: string) => (await creator.call('GET', `/api/resources/${id}/examples`)).body['items'] as Item[];
const view = async (id: string) => (await send(`${app.current.url}/api/resources/${id}`, { method: 'GET' })).body;

/** The job that runs them turns every few seconds. */
const untilRun = (id: string, version: number) =>
  vi.waitUntil(async () => (await list(id)).every(({ runs }) => runs.some((run) => run.version === version)), {
    timeout: 20_000,
    interval: 100,
  });

test('an example becomes the sample of its listing, and is run again for the next version with the difference shown', async () => {
  const { id } = await creator.publish({ slug: 'sampled' });
  expect(await keep(creator, id, { name: 'Rivers', input: { topic: 'rivers' } })).toMatchObject({ status: 201 });
  await untilRun(id, 1);
  expect(await view(id)).toMatchObject({
    samples: [{ name: 'Rivers', input: { topic: 'rivers' }, version: 1, answer: { response: expect.any(String) } }],
  });
  const { body } = await creator.call('GET', `/api/resources/${id}`);
  const { config } = body['draft'] as { config: object };
  const systemPrompt = 'Answer in verse about {topic}{/topic}.';
  await creator.call('PATCH', `/api/resources/${id}`, { config: { ...config, systemPrompt } });
  await creator.call('POST', `/api/resources/${id}/publish`, {});
  await untilRun(id, 2);
  const [item] = await list(id);
  expect(item?.runs).toMatchObject([
    { version: 2, ok: true, costUsd: expect.any(String), evidence: { inputTokens: expect.any(Number) } },
    { version: 1, ok: true, changes: [] },
  ]);
  expect(item?.runs[0]?.changes.map(({ path }) => path)).toContain('/answer/response');
  expect(await view(id)).toMatchObject({ samples: [{ version: 2 }] });
  const { body: page } = await creator.call('GET', `/api/usage?resourceId=${id}`);
  expect(page['items']).toMatchObject([{ isTest: true, earnedUsdc: '0' }, { isTest: true }]);
});

test('examples are run with the draft on its owner’s wish, and nobody else sees that', async () => {
  const { id } = await creator.publish({ slug: 'wished' });
  await keep(creator, id, { name: 'Lakes', input: { topic: 'lakes of the draft' }, reruns: false });
  const ran = await creator.call('POST', `/api/resources/${id}/examples/run`, {});
  expect(ran).toMatchObject({
    status: 200,
    body: { items: [{ before: null, after: { version: 0, ok: true }, changes: [] }] },
  });
  expect(countRuns(app.current, 'lakes of the draft')).toBe(1);
  expect(await view(id)).toMatchObject({ samples: [] });
  await creator.call('POST', `/api/resources/${id}/examples/run`, { version: 1 });
  const again = await creator.call('POST', `/api/resources/${id}/examples/run`, {});
  expect(again).toMatchObject({ body: { items: [{ before: { version: 1 }, after: { version: 0 } }] } });
  expect(await view(id)).toMatchObject({ samples: [{ name: 'Lakes', version: 1 }] });
});

test('an example that no longer fits its parameters says so and is no sample', async () => {
  const { id } = await creator.publish({ slug: 'misfit' });
  await keep(creator, id, { name: 'Wrong', input: { subject: 'lakes' } });
  await untilRun(id, 1);
  expect((await list(id))[0]?.runs).toMatchObject([{ ok: false, cause: expect.stringContaining('does not fit') }]);
  expect(await view(id)).toMatchObject({ samples: [] });
});

test('examples are not run where all of them together may cost more than is allowed', async () => {
  const { id } = await creator.publish({ slug: 'bounded' });
  await keep(creator, id, { name: 'Dear', input: { topic: 'much too dear' }, reruns: false });
  const refused = await creator.call('POST', `/api/resources/${id}/examples/run`, { maxCostUsd: '0.0000001' });
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: '/maxCostUsd' }] } });
  expect(countRuns(app.current, 'much too dear')).toBe(0);
});

test('a resource has at most twenty examples, each with a name of its own, also when they are sent at once', async () => {
  const { id } = await creator.publish({ slug: 'twenty' });
  const input = { topic: 'x' };
  const sent = await Promise.all(
    Array.from({ length: 24 }, (_, index) => keep(creator, id, { name: `Example ${index}`, input, reruns: false })),
  );
  expect(sent.filter(({ status }) => status === 201)).toHaveLength(20);
  const [first] = await list(id);
  const same = await keep(creator, id, { name: first?.name, input });
  expect(same).toMatchObject({ status: 409, body: { errors: [{ path: '/name' }] } });
  expect(await creator.call('DELETE', `/api/resources/${id}/examples/${first?.id}`)).toMatchObject({ status: 200 });
  expect(await list(id)).toHaveLength(19);
});

test('nobody keeps, reads, runs or deletes the examples of others', async () => {
  const { id } = await creator.publish({ slug: 'guarded' });
  const { body } = await keep(creator, id, { name: 'Mine', input: { topic: 'mine' }, reruns: false });
  const other = await app.current.makeCreator('other');
  const answers = await Promise.all([
    keep(other, id, { name: 'Theirs', input: {} }),
    other.call('GET', `/api/resources/${id}/examples`),
    other.call('POST', `/api/resources/${id}/examples/run`, {}),
    other.call('DELETE', `/api/resources/${id}/examples/${String(body['id'])}`),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
});
