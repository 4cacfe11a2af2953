import { decodePaymentRequiredHeader } from '@x402/core/http';
import { expect, test } from 'vitest';
import { send } from './support/paid-request.ts';
import { useWorld } from './support/server-world.ts';

/* The operator takes payments on a network no more, and then again. */
const world = useWorld();
const LEFT = 'eip155:84532';
const GONE = 'eip155:8453';

test('what is priced on a network that is given up is not offered there; what has no other is paused, told, and comes back with it', async () => {
  const rpc = world.current.gates.rpc.origin;
  const both = { NETWORKS: `${LEFT},${GONE}`, RPC_URLS: `${LEFT}=${rpc},${GONE}=${rpc}` };
  const before = await world.current.startServer(both);
  const ada = await world.current.makeCreator(before, 'ada');
  const only = await ada.publish({ slug: 'only', network: GONE });
  await ada.publish({ slug: 'either', furtherOffers: [{ network: GONE }] });
  const networksAt = async (url: string, slug: string) => {
    const { status, headers } = await send(`${url}/@ada/${slug}`);
    const required = headers.get('PAYMENT-REQUIRED');
    return required === null ? status : decodePaymentRequiredHeader(required).accepts.map(({ network }) => network);
  };
  expect(await networksAt(before.url, 'only')).toEqual([GONE]);
  expect(await networksAt(before.url, 'either')).toEqual([LEFT, GONE]);
  await before.stop();

  const without = await world.current.startServer();
  expect(await networksAt(without.url, 'either')).toEqual([LEFT]);
  expect(await networksAt(without.url, 'only')).toBe(503);
  const readAt = async (url: string, path: string) =>
    (await send(url + path, { method: 'GET', cookie: ada.cookie })).body;
  await expect
    .poll(() => readAt(without.url, `/api/resources/${only.id}`))
    .toMatchObject({
      state: 'paused',
      pausedBy: 'readiness',
      pauseCause: expect.stringContaining(`Payments on ${GONE}`),
    });
  expect(await readAt(without.url, '/api/user/notices?event=resource_paused')).toMatchObject({
    items: [{ subject: only.id, data: { slug: 'only' } }],
  });
  await without.stop();

  const again = await world.current.startServer(both);
  await expect.poll(() => networksAt(again.url, 'only'), { timeout: 20_000 }).toEqual([GONE]);
  expect(await networksAt(again.url, 'either')).toEqual([LEFT, GONE]);
});
