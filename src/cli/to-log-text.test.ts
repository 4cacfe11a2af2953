import { pino } from 'pino';
import { expect, test } from 'vitest';
import { toLogText } from './to-log-text.ts';

function write(log: (logger: ReturnType<typeof pino>) => void): string {
  let text = '';
  const options = { base: null, timestamp: () => ',"time":"2026-11-21T13:00:53.123Z"' };
  log(pino(options, { write: (line: string) => (text += toLogText(line)) }));
  return text;
}

test('a log entry of a call becomes one line of text with its fields', () => {
  expect(write((log) => log.info({ status: 200, slug: 'haiku', sync: { added: 3 } }, 'call'))).toBe(
    '13:00:53 call  status=200  slug=haiku  sync={"added":3}\n',
  );
});

test('warnings and errors stand out in the log text; an error keeps its stack', () => {
  expect(write((log) => log.warn('slow'))).toBe('13:00:53 WARN slow\n');
  expect(write((log) => log.error({ err: new Error('broken') }, 'sync'))).toMatch(
    /^13:00:53 ERROR sync\n {4}Error: broken\n {8}at /,
  );
});

test('text that is no log entry stays as it is', () => {
  expect(toLogText('plain\n')).toBe('plain\n');
  expect(toLogText('[1]')).toBe('[1]');
});
