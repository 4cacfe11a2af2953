import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const rows = [
  ...read('docs/simulator.md').matchAll(/^\| (?<line>.+?) \| `(?<file>[\w./-]+)` \| (?<title>.+?) \|$/gm),
].map(({ groups }) => ({ line: groups?.['line'], file: groups?.['file'] ?? '', title: groups?.['title'] ?? '' }));

/** What calls are given first: the names of tests, of tables of tests and of groups are among them. */
const listTitles = (source: string): ReadonlySet<string> =>
  new Set(
    [...source.matchAll(/\(\s*(?<quote>['"`])(?<title>(?:\\.|(?!\k<quote>)[^\\])*)\k<quote>/g)].map(({ groups }) =>
      (groups?.['title'] ?? '').replaceAll(/\\(.)/g, '$1'),
    ),
  );

test('docs/simulator.md names tests that are there', () => {
  expect(rows.length).toBeGreaterThan(50);
  const missing = rows.filter(({ file, title }) => {
    const folder =
      file === 'openrouter.test.ts' ? 'tests/live/' : file.startsWith('tests/') ? '' : 'sandbox/openrouter/';
    return !listTitles(read(`${folder}${file}`)).has(title);
  });
  expect(missing).toEqual([]);
});
