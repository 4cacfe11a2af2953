import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allowedImports, findViolations, readSources } from './support/read-architecture.ts';

test('the sources keep the architecture', async () => {
  expect(findViolations(await readSources())).toEqual([]);
});

test('ARCHITECTURE.md prints the modules and what they may import', async () => {
  const root = join(import.meta.dirname, '..');
  const entries = await readdir(join(root, 'src'), { withFileTypes: true });
  const modules = [...entries.filter((entry) => entry.isDirectory()).map(({ name }) => name), 'sandbox'];
  const text = await readFile(join(root, 'ARCHITECTURE.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `(?:src\/)?(\w+)` \|.*\| (.+) \|$/gm)].map(([, module, may]) => [module, may]);
  const allowed = (module: string): string => {
    const there = (allowedImports[module] ?? []).filter((other) => modules.includes(other));
    return module === 'api' ? "every domain's face" : there.join(', ') || 'nothing';
  };
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(modules.map((module) => [module, allowed(module)])));
});

test('does not take words in texts and comments for code', () => {
  const text = '// process.env\nexport const shown = `await fetch(1)` + "createCipheriv";\n';
  expect(findViolations(new Map([['src/api/shown.ts', text]]))).toEqual([]);
});

const face = ['src/kit/index.ts', 'export const one = 1;\n'] as const;

test.each<[string, Record<string, string>, RegExp]>([
  [
    'an import that the table does not allow',
    {
      'src/payments/pay.ts': `import { find } from '#resources/index.ts';\nfind();\n`,
      'src/resources/index.ts': 'export const find = () => 1;\n',
    },
    /payments may not import resources/,
  ],
  [
    'a type import that the table does not allow',
    {
      'src/kit/a.ts': `import type { Database } from '#database/index.ts';\nexport type A = Database;\n`,
      'src/database/index.ts': 'export type Database = 1;\n',
    },
    /kit may not import database/,
  ],
  [
    'a way around the face of a module',
    {
      'src/database/open.ts': `import { one } from '#kit/money.ts';\none();\n`,
      'src/kit/money.ts': 'export const one = () => 1;\n',
    },
    /entered by index\.ts/,
  ],
  [
    'a relative way into another module',
    {
      'src/database/open.ts': `export { one } from '../kit/money.ts';\n`,
      'src/kit/money.ts': 'export const one = 1;\n',
    },
    /entered by index\.ts/,
  ],
  [
    'a hidden dynamic import',
    {
      'src/kit/a.ts': `export const load = () => import('#vault/index.ts');\n`,
      'src/vault/index.ts': 'export const v = 1;\n',
    },
    /kit may not import vault/,
  ],
  [
    'a read of the environment',
    { 'src/api/a.ts': `export const port = process.env['PORT'];\n` },
    /only config\.ts reads the environment/,
  ],
  ['a fetch inside a template', { 'src/execution/a.ts': 'export const go = () => `${fetch("http://x")}`;\n' }, /fetch/],
  ['a fetch', { 'src/execution/a.ts': `export const go = () => fetch('http://x');\n` }, /fetch/],
  [
    'an HTTP client',
    { 'src/gateway/a.ts': `import { request } from 'undici';\nrequest('http://x');\n` },
    /outbound connections/,
  ],
  [
    'a raw socket',
    { 'src/usage/a.ts': `import { connect } from 'node:net';\nconnect(1);\n` },
    /may not open connections/,
  ],
  [
    'a cipher',
    { 'src/media/a.ts': `import { createCipheriv } from 'node:crypto';\ncreateCipheriv('a', 'b', 'c');\n` },
    /only vault\/ encrypts/,
  ],
  ['any', { 'src/usage/a.ts': 'export const x = 1 as any;\n' }, /: any/],
  ['a bucket file', { 'src/usage/utils.ts': 'export const x = 1;\n' }, /bucket name/],
  ['a bucket folder', { 'src/usage/helpers/x.ts': 'export const x = 1;\n' }, /bucket name/],
  ['a name that is not kebab-case', { 'src/usage/recordCall.ts': 'export const x = 1;\n' }, /kebab-case/],
  ['a module that is not in the design', { 'src/billing/pay.ts': 'export const x = 1;\n' }, /no module "billing"/],
  ['a file at the top', { 'src/server.ts': 'export const x = 1;\n' }, /at the top of src/],
  ['a file over its budget', { 'src/usage/long.ts': 'export {};\n'.repeat(301) }, /301 lines/],
  [
    'a cycle of values',
    {
      'src/usage/a.ts': `import { b } from './b.ts';\nexport const a = b;\n`,
      'src/usage/b.ts': `import { a } from './a.ts';\nexport const b = () => a;\n`,
    },
    /cycle: .*a\.ts -> .*b\.ts/,
  ],
  [
    'a cycle of types',
    {
      'src/usage/a.ts': `import type { B } from './b.ts';\nexport type A = B;\n`,
      'src/usage/b.ts': `import type { A } from './a.ts';\nexport type B = A[];\n`,
    },
    /cycle/,
  ],
  [
    'product code that imports a test',
    { 'src/usage/a.ts': `import { x } from '../../tests/support/x.ts';\nx();\n` },
    /imports a test/,
  ],
])('catches %s', (_what, files, expected) => {
  const violations = findViolations(new Map([face, ...Object.entries(files)]));
  expect(violations.join('\n')).toMatch(expected);
});
