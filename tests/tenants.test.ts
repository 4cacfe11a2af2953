import { expect, test } from 'vitest';
import { scheduleRollup } from '#usage/index.ts';
import { makeKey } from './support/make-key.ts';
import { listDeclared, toRequest } from './support/operation-requests.ts';
import { payFor, send } from './support/paid-request.ts';
import { changedTables, readTables } from './support/read-tables.ts';
import { sendRaw } from './support/send-raw.ts';
import { useApp } from './support/start-app.ts';

const app = useApp();
const secretPrompt = 'A prompt that only Bob may read about';
const draftName = 'A name that Bob has not published';

/** Bodies with which the operations would do something. */
const bodies: Record<string, unknown> = {
  'resources.create': { kind: 'openrouter_instant', slug: 'of-mallory' },
  'resources.update': { name: 'Stolen' },
  'resources.secrets.put': { value: 'stolen-key' },
  'integrations.openrouter.update': { isEnabled: false },
};

async function settleIn() {
  const bob = await app.current.makeCreator('bob');
  const config = { modelId: 'openai/gpt-4o-mini', systemPrompt: `${secretPrompt} {topic}{/topic}`, maxTokens: 120 };
  const essay = await bob.publish({ slug: 'essay', config });
  await bob.call('PATCH', `/api/resources/${essay.id}`, { name: draftName });
  const draft = await bob.call('POST', '/api/resources', {
    kind: 'openrouter_instant',
    slug: 'draft',
    name: draftName,
    config,
  });
  await bob.call('PUT', `/api/resources/${essay.id}/secrets/upstream_api_key`, { value: 'bobs-upstream-key' });
  const key = await makeKey(bob, ['resources:read']);
  const buyer = await app.current.makeBuyer();
  const paid = await send(essay.url, { body: { topic: 'rivers' }, payment: await payFor(buyer, essay.url) });
  expect(paid.status).toBe(200);
  const receipt = paid.body['receipt'] as Record<string, unknown>;
  const secrets = [
    secretPrompt,
    draftName,
    'bob@example.com',
    key.id,
    buyer.address.toLowerCase(),
    String(receipt['callId']),
  ];
  return { bob, secrets, ids: [essay.id, String(draft.body['id']), key.id], resourceId: essay.id };
}

/** What the minute's jobs would move while tables are compared. */
async function addUp(): Promise<void> {
  const jobs: Parameters<Parameters<typeof scheduleRollup>[0]['schedule']>[0][] = [];
  scheduleRollup({ schedule: (job) => jobs.push(job) }, app.current.database);
  await Promise.all(jobs.map((job) => job.run(new Date())));
}

test('a creator reads and changes nothing of another by any operation', async () => {
  const { bob, secrets, ids, resourceId } = await settleIn();
  const mallory = await app.current.makeCreator('mallory', { openRouterKey: null });
  const headers = { Cookie: mallory.cookie, Origin: app.current.url };
  await addUp();
  const before = await readTables(app.current.databaseUrl);
  const asked = [];
  const faults: string[] = [];
  for (const operation of listDeclared()) {
    for (const id of ids) {
      const request = toRequest(operation, { id, username: 'bob', slug: 'essay' }, bodies[operation.name]);
      asked.push({ name: operation.name, ...request });
    }
  }
  for (const query of [`resourceId=${resourceId}`, 'status=success', '']) {
    asked.push({ name: 'usage', path: `/api/usage?${query}` }, { name: 'csv', path: `/api/usage.csv?${query}` });
  }
  asked.push({ name: 'list', path: '/api/resources?limit=100' }, { name: 'mine', path: '/api/resources?mine=true' });
  for (const { name, ...request } of asked) {
    const answer = await sendRaw(app.current.url, { ...request, headers: { ...request.headers, ...headers } });
    const told = secrets.filter((secret) => answer.text.includes(secret) && !request.path.includes(secret));
    const isChange = answer.status < 300 && name.startsWith('resources.') && request.method !== undefined;
    // A quote is for everybody and changes nothing.
    const isMeant = name === 'resources.create' || name === 'resources.quote';
    if (told.length > 0 || answer.status >= 500 || (isChange && !isMeant)) {
      faults.push(`${name}: ${request.method ?? 'GET'} ${request.path} -> ${answer.status} ${answer.text}`);
    }
  }
  expect(faults).toEqual([]);
  const after = await readTables(app.current.databaseUrl);
  const { rows: found } = await app.current.database.system.query<{ id: string }>(
    `SELECT id FROM users WHERE username = 'mallory'`,
  );
  const isMallorys = (row: Readonly<Record<string, unknown>>) =>
    row['owner_id'] === found[0]?.id || JSON.stringify(row).includes('of-mallory');
  const ofOthers = (tables: typeof after) =>
    new Map([...tables].map(([table, rows]) => [table, rows.filter((row) => !isMallorys(row))]));
  const changed = changedTables(ofOthers(before), ofOthers(after));
  expect(changed.filter((table) => table !== 'public.x402_resource_slugs')).toEqual([]);
  const { body } = await bob.call('GET', '/api/resources?mine=true');
  expect((body['items'] as unknown[]).length).toBe(2);
});

test('the public sees a published resource as it was published, and never its template', async () => {
  const rita = await app.current.makeCreator('rita');
  const { id } = await rita.publish({
    slug: 'poem',
    config: { modelId: 'openai/gpt-4o-mini', systemPrompt: `${secretPrompt} {topic}{/topic}` },
  });
  await rita.call('PATCH', `/api/resources/${id}`, {
    name: draftName,
    config: { modelId: 'x', systemPrompt: draftName },
  });
  for (const path of [
    `/api/resources/${id}`,
    '/api/creators/rita/poem',
    '/api/resources?creator=rita',
    `/api/resources/${id}/versions`,
    '/resources/rita/poem',
    '/@rita/poem',
  ]) {
    const { text, status } = await sendRaw(app.current.url, { path });
    expect([200, 402]).toContain(status);
    expect(text).toContain('poem');
    expect(text).not.toContain(secretPrompt);
    expect(text).not.toContain(draftName);
    expect(text).not.toContain('systemPrompt');
  }
});
