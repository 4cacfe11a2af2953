import { globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findPointers } from './support/architecture/find-pointers.ts';
import { readSources } from './support/architecture/read-sources.ts';

const root = join(import.meta.dirname, '..');
const folders = ['src', 'sandbox', 'tests', 'migrations', 'bench', 'scripts', 'bin', 'contracts'];
const endings = ['.ts', '.mjs', '.sql', '.sh', '.css', '.sol'];
const files = globSync(['*', '{.ci,docs}/**', ...folders.map((folder) => `${folder}/**`)], {
  cwd: root,
  exclude: (path) => path === 'node_modules' || path === 'data',
});

test('comments and texts point only at what is in the repository', async () => {
  const sources = new Map(await readSources(folders, endings));
  sources.delete('tests/pointers.test.ts');
  expect(findPointers(sources, files)).toEqual([]);
});

test.each([
  ['an issue', '// One payment buys one run (issue 2).\n', /a\.ts: points at an issue: "issue 2"/],
  ['a section', '// The order is that of section 4.\n', /points at a section/],
  ['a section, over two lines of comment', '// The order is that of section\n// 4.\n', /points at a section/],
  ['the seeds', '/** The names are the seeds’. */\n', /points at the seeds/],
  ['research notes', '// See research/openrouter.md, 2.2.\n', /points at notes outside/],
  ['a folder outside', '// As in ../shared/design.md.\n', /points at a document outside/],
  ['a decision that is not there', '// Kept for an hour (docs/decisions/9999).\n', /not there: docs\/decisions\/9999/],
  ['a file that is not there', '// `no-such-file.ts` says why.\n', /not there: no-such-file\.ts/],
  [
    'a path that is not there',
    '// Columns of migrations/0001_nothing.sql.\n',
    /not there: migrations\/0001_nothing\.sql/,
  ],
  ['an issue, in a text', `export const detail = 'Not allowed (issue 2).';\n`, /points at an issue/],
])('finds a comment or text that points at %s', (_what, text, expected) => {
  expect(findPointers(new Map([['src/usage/a.ts', text]]), files).join('\n')).toMatch(expected);
});

test('finds what comments of migrations and shell scripts point at', () => {
  const sources = new Map([
    ['migrations/0001_a.sql', '-- As section 5 says.\nSELECT 1;\n'],
    ['sandbox/a.sh', '# Started by no-such-file.mjs.\n'],
  ]);
  expect(findPointers(sources, files)).toEqual([
    expect.stringMatching(/^migrations\/0001_a\.sql: points at a section/),
    expect.stringMatching(/^sandbox\/a\.sh: points at a file/),
  ]);
});

test.each([
  ['a public document', '// RFC 9110, section 8.3: the type says how to read it.\n'],
  ['a file of a package', '// Clients match on them (@x402/evm, exact/facilitator/errors.ts).\n'],
  ['what is here', '// docs/decisions/0006; `bin/farebox.mjs`, seeded-random.ts and ARCHITECTURE.md.\n'],
  ['a random seed', '// The same seed gives the same text.\n'],
  ['code', 'export const section = 4; // a number\n'],
])('does not take %s for a pointer to elsewhere', (_what, text) => {
  expect(findPointers(new Map([['src/usage/a.ts', text]]), files)).toEqual([]);
});
