import { expect, test } from 'vitest';
import { send, useWorld } from './support/server-world.ts';

/* Two servers, processes of their own, on one PostgreSQL, with the same settings. */
const world = useWorld();

test('refusals that last are counted over two servers: the fifth in a row stops the sale on both', async () => {
  const [one, other] = await Promise.all([world.current.startServer(), world.current.startServer()]);
  const creator = await world.current.makeCreator(one, 'ada');
  const { id } = await creator.publish({ slug: 'essay' });
  world.current.simulator.control.fail('403_budget', { times: 5 });
  for (const [index, server] of [one, other, one, other, one].entries()) {
    const url = `${server.url}/@ada/essay`;
    expect((await send(url, await world.current.makeBuyer(url, `call ${index}`)))?.status).toBe(503);
    expect((await creator.call('GET', `/api/resources/${id}`)).body['state']).toBe(index < 4 ? 'published' : 'paused');
  }
  await expect.poll(async () => (await fetch(`${other.url}/@ada/essay`, { method: 'POST' })).status).toBe(503);
});
