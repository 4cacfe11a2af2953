import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const rows = [
  ...read('docs/simulator.md').matchAll(/^\| (?<line>.+?) \| `(?<file>[\w./-]+)` \| (?<title>.+?) \|$/gm),
].map(({ groups }) => ({ line: groups?.['line'], file: groups?.['file'] ?? '', title: groups?.['title'] ?? '' }));

test('docs/simulator.md names tests that are there', () => {
  expect(rows.length).toBeGreaterThan(50);
  const missing = rows.filter(({ file, title }) => {
    const folder = file === 'openrouter.test.ts' ? 'tests/live' : 'sandbox/openrouter';
    return !read(`${folder}/${file}`).replaceAll("\\'", "'").includes(title);
  });
  expect(missing).toEqual([]);
});
