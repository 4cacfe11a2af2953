import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openScreen, showWaiting } from './show-waiting.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Waits that many seconds before a stream. @returns what was written. */
async function writeWhile(seconds: number, isTTY: boolean): Promise<string> {
  let written = '';
  const stream = { isTTY, write: (text: string) => (written += text) } as unknown as NodeJS.WriteStream;
  const work = Promise.withResolvers<string>();
  const shown = showWaiting(openScreen(stream), 'painting', work.promise);
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  work.resolve('done');
  expect(await shown).toBe('done');
  await vi.advanceTimersByTimeAsync(60_000);
  return written;
}

test('a long wait shows a line on a terminal that counts and is gone when the wait is over', async () => {
  const written = await writeWhile(3, true);
  expect(written.split('\r\u001b[K').map((line) => line.trim())).toEqual([
    '',
    'Still painting … 1 s',
    'Still painting … 2 s',
    'Still painting … 3 s',
    '',
  ]);
});

test('elsewhere it prints a plain line now and then', async () => {
  const written = await writeWhile(16, false);
  expect(written.trim().split(/\n\s+/)).toEqual([
    'Still painting … 5 s',
    'Still painting … 10 s',
    'Still painting … 15 s',
  ]);
});

test.each([true, false])('a short wait shows nothing (terminal: %s)', async (isTTY) => {
  expect(await writeWhile(0.5, isTTY)).toBe('');
});

test('what fails while it is waited for fails, and the sign of life ends', async () => {
  const screen = { print: vi.fn<(line: string) => void>() };
  await expect(showWaiting(screen, 'painting', Promise.reject(new Error('no paint')))).rejects.toThrow('no paint');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(screen.print).not.toHaveBeenCalled();
});
