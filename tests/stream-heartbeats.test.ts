import { afterEach, expect, test, vi } from 'vitest';
import { listNames, toText } from './support/open-events.ts';
import { delta } from './support/scripted-upstream.ts';
import { ended, useStreamWorld } from './support/stream-world.ts';

/* A paid stream whose upstream pauses (docs/decisions/0030), through the whole app. */
const world = useStreamWorld();
afterEach(() => vi.useRealTimers());

test('a paid stream whose upstream pauses says so every 15 seconds, and goes on', async () => {
  const call = await world.current.makeCall();
  const standing = call.stand();
  call.script(delta('amber '), { stand: standing }, delta('basalt'), ...ended);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const stream = await call.open();
  expect(toText(await stream.until('delta'))).toBe('amber ');
  await standing.reached;
  const next = stream.next();
  vi.advanceTimersByTime(15_000);
  await expect.poll(() => stream.comments).toEqual(['']);
  vi.advanceTimersByTime(30_000);
  await expect.poll(() => stream.comments).toEqual(['', '', '']);
  standing.goOn();
  expect(await next).toMatchObject({ event: 'delta', data: { text: 'basalt' } });
  expect(listNames(await stream.rest())).toEqual(['usage', 'receipt', 'done']);
  await call.untilState('delivered');
  expect([stream.comments.length, call.runs(), await call.spent()]).toEqual([3, 1, 10_000n]);
});
