import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { runFarebox } from './support/server-child.ts';
import { send, useWorld, type Buyer } from './support/server-world.ts';

const world = useWorld();

test('the master key is changed while calls go on, and the old one can be dropped', async () => {
  const next = randomBytes(32).toString('hex');
  const both = { ...world.current.environment, NEW_MASTER_KEY: next };
  const server = await world.current.startServer(both);
  const creator = await world.current.makeCreator(server, 'ada');
  await creator.publish({ slug: 'essay' });
  const path = '/@ada/essay';
  const buyers: Buyer[] = [];
  for (const topic of ['before', 'during', 'after', 'without the old key']) {
    buyers.push(await world.current.makeBuyer(server.url + path, topic));
  }
  const [before, during, after, without] = buyers as [Buyer, Buyer, Buyer, Buyer];
  expect(await send(server.url + path, before)).toMatchObject({ status: 200 });
  const [rotated, meanwhile] = await Promise.all([
    runFarebox(['rotate-master-key'], both),
    send(server.url + path, during),
  ]);
  expect(rotated.output).toMatch(/keys are now under the new master key, 0 are left/);
  expect(rotated.code).toBe(0);
  expect(meanwhile).toMatchObject({ status: 200 });
  expect(await send(server.url + path, after)).toMatchObject({ status: 200 });
  const newcomer = await world.current.makeCreator(server, 'bob');
  expect(await newcomer.call('POST', '/api/user/integrations/openrouter/test', {})).toMatchObject({ status: 200 });
  expect(await server.stop()).toBe(0);

  const renewed = await world.current.startServer({ MASTER_KEY: next });
  expect(await send(renewed.url + path, without)).toMatchObject({ status: 200 });
  await expect(world.current.startServer()).rejects.toThrow(/kept under the master key mk_/);
  expect(await world.current.audit(creator.payTo)).toEqual([]);
});
