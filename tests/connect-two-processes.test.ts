import { expect, test } from 'vitest';
import { beginConnect, decide, follow } from './support/consent.ts';
import { useWorld } from './support/server-world.ts';

/* Two servers, processes of their own, on one PostgreSQL, with the same settings. */
const world = useWorld();

test('a connection that was begun on one server is finished on another, once over both', async () => {
  const [one, other] = await Promise.all([world.current.startServer(), world.current.startServer()]);
  const creator = await world.current.makeCreator(one, 'ada');
  await creator.call('DELETE', '/api/user/integrations/openrouter');
  const { consent } = await beginConnect(creator);
  // The gate in front of the simulator follows redirections itself.
  consent.host = new URL(world.current.simulator.url).host;
  const back = await decide(consent, 'approve');
  const there = new URL(back.pathname + back.search, other.url);
  const ended = await Promise.all([back, there, back, there, back, there].map((url) => follow(url, creator)));
  expect(ended.filter(({ location }) => location?.endsWith('/connected'))).toHaveLength(1);
  expect(ended.filter(({ location }) => location?.endsWith('/ended'))).toHaveLength(5);
  const { body } = await creator.call('GET', '/api/user/integrations/openrouter');
  expect(body).toMatchObject({ isValid: true });
  const redeemed = world.current.simulator.control.requests.filter(({ path }) => path.endsWith('/auth/keys'));
  expect(redeemed).toHaveLength(1);
});
