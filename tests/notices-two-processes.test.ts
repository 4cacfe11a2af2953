import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRouterPath } from './support/notice-world.ts';
import { send } from './support/paid-request.ts';
import { startScriptedUpstream, status, type ScriptedUpstream } from './support/scripted-upstream.ts';
import type { ServerChild } from './support/server-child.ts';
import { useWorld } from './support/server-world.ts';
import type { Creator } from './support/start-app.ts';

/* What accounts are told by servers that are processes of their own, and one of them dies. */
const world = useWorld();
let receiver: ScriptedUpstream;

beforeAll(async () => {
  receiver = await startScriptedUpstream();
});
afterAll(() => receiver.close());

const start = () => world.current.startServer({ WEBHOOK_ORIGINS: receiver.url });

/** Has the key of a creator refused, as each of these servers finds it at the same time. */
async function refuseKey({ cookie }: Creator, servers: readonly ServerChild[]): Promise<void> {
  const { control, keys } = world.current.simulator;
  control.disableKey(keys.healthy);
  const tests = servers.flatMap((server) =>
    [1, 2].map(() => send(`${server.url}${openRouterPath}/test`, { cookie, headers: { Origin: server.url } })),
  );
  await Promise.all(tests);
  control.disableKey(keys.healthy, false);
}

async function connectWebhook(creator: Creator): Promise<void> {
  receiver.script(status(200, {}));
  const hook = await creator.call('PUT', '/api/user/notices/webhook', { url: `${receiver.url}/${creator.username}` });
  expect(hook.status).toBe(200);
}

const listMessages = async () =>
  (await world.current.database.system.query('SELECT state, attempts FROM notice_messages ORDER BY id')).rows;

/** Lets the claim of a dead process run out at once. */
const endClaims = () =>
  world.current.database.system.query(`UPDATE notice_messages SET next_at = now() WHERE state = 'sending'`);

const idsOfSeen = () => receiver.seen.map(({ headers }) => headers['webhook-id']);

test('kill -9 of the server that was sending: another one sends the same message under the same id, and then nobody any more', async () => {
  const victim = await start();
  const creator = await world.current.makeCreator(victim, 'ada');
  await connectWebhook(creator);
  const arrived = Promise.withResolvers<void>();
  receiver.script(() => arrived.resolve(), status(200, {}));
  await refuseKey(creator, [victim]);
  await arrived.promise;
  await victim.kill();
  expect(await listMessages()).toEqual([{ state: 'sending', attempts: 1 }]);
  const survivors = await Promise.all([start(), start()]);
  await endClaims();
  await expect.poll(listMessages, { timeout: 20_000 }).toEqual([{ state: 'sent', attempts: 2 }]);
  await endClaims();
  expect(new Set(idsOfSeen()).size).toBe(1);
  const [first, second, ...more] = receiver.seen.map(({ body }) => JSON.parse(body) as { notices: object[] });
  expect([first?.notices, more]).toEqual([second?.notices, []]);
  expect(second?.notices).toMatchObject([{ event: 'key_refused', subject: 'openrouter' }]);

  // What two servers see at the same time is told once, and leaves once.
  const both = await world.current.makeCreator(survivors[0], 'bea');
  await connectWebhook(both);
  receiver.script(status(200, {}));
  await refuseKey(both, survivors);
  await expect.poll(() => receiver.seen.filter(({ path }) => path === '/bea'), { timeout: 20_000 }).toHaveLength(1);
  await expect.poll(listMessages).toEqual([
    { state: 'sent', attempts: 2 },
    { state: 'sent', attempts: 1 },
  ]);
  for (const server of survivors) {
    const inbox = await send(`${server.url}/api/user/notices?event=key_refused`, {
      method: 'GET',
      cookie: both.cookie,
    });
    expect(inbox.body['items']).toHaveLength(1);
  }
  expect(receiver.seen.filter(({ path }) => path === '/bea')).toHaveLength(1);
});
