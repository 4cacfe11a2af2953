import { expect, test } from 'vitest';
import { send } from './support/paid-request.ts';
import { useWorld } from './support/server-world.ts';

const world = useWorld();

test('calls whose payments cannot be checked because the network does not answer are told to the creator once, and sold when it does', async () => {
  const { gates } = world.current;
  const server = await world.current.startServer();
  const ada = await world.current.makeCreator(server, 'ada');
  const [essay, poem] = [await ada.publish({ slug: 'essay' }), await ada.publish({ slug: 'poem' })];
  const buyers = await Promise.all(
    [essay, essay, poem].map(async ({ url }, index) => ({
      url,
      ...(await world.current.makeBuyer(url, `topic ${index}`)),
    })),
  );
  const sendAll = () =>
    Promise.all(buyers.map(({ url, header: payment, topic }) => send(url, { payment, body: { topic } })));
  gates.rpc.setDown(true);
  for (const answer of await sendAll()) {
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(answer.headers.get('Retry-After')).toBe('5');
  }
  const read = async (path: string) =>
    (await send(server.url + path, { method: 'GET', cookie: ada.cookie })).body as {
      items: { body: string; resourceId?: string }[];
    };
  const told = await read('/api/user/notices?event=calls_refused');
  expect(told.items).toMatchObject([{ subject: 'network_unreachable', severity: 'warning' }]);
  expect(told.items[0]?.body).toMatch(/Payments could not be checked.*eip155:84532/);
  const logged = (await read('/api/usage?status=refused')).items;
  expect(new Set(logged.map(({ resourceId }) => resourceId))).toEqual(new Set([essay.id, poem.id]));
  expect(logged).toMatchObject(logged.map(() => ({ problem: 'unavailable', payer: null })));
  gates.rpc.setDown(false);
  expect((await sendAll()).map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await world.current.audit(ada.payTo)).toEqual([]);
});
