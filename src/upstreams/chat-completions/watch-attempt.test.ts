import { expect, test } from 'vitest';
import { manualTimers } from '../../../tests/support/manual-timers.ts';
import { watchAttempt } from './watch-attempt.ts';

function start(deadlineInMs: number) {
  const timers = manualTimers();
  const abort = new AbortController();
  const call = { apiKey: 'k', signal: abort.signal, deadlineMs: timers.now() + deadlineInMs };
  return { timers, abort, watch: watchAttempt(timers, call, 10_000) };
}

test('every data event starts the idle limit of an attempt anew', () => {
  const { timers, watch } = start(60_000);
  for (let step = 0; step < 3; step += 1) {
    timers.advance(9_000);
    watch.progress();
  }
  timers.advance(9_999);
  expect(watch.reason()).toBeNull();
  timers.advance(1);
  expect([watch.reason(), watch.signal.aborted]).toEqual(['idle', true]);
});

test('the deadline ends an attempt although data still arrives', () => {
  const { timers, watch } = start(15_000);
  timers.advance(9_000);
  watch.progress();
  timers.advance(6_000);
  expect([watch.reason(), watch.signal.aborted]).toEqual(['deadline', true]);
});

test('a watch that is stopped leaves no timer and reacts to nothing', () => {
  const { timers, abort, watch } = start(15_000);
  watch.stop();
  expect(timers.waiting()).toEqual([]);
  abort.abort();
  expect(watch.reason()).toBeNull();
});
