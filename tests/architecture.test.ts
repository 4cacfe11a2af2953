import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readMigratedTables } from './support/architecture/check-tables.ts';
import { readSources } from './support/architecture/read-sources.ts';
import { findViolations, rules, type Rules } from './support/read-architecture.ts';

const none: Rules = { imports: { api: [], kit: [] }, packages: [], tableOwners: {}, tableReaders: [] };

test('the sources keep the architecture', async () => {
  expect(findViolations(await readSources(['src', 'sandbox']))).toEqual([]);
});

test('every module of code is in a file that this test reads', async () => {
  const others = ['.mts', '.cts', '.tsx', '.js', '.jsx', '.mjs', '.cjs', '.sql'];
  expect([...(await readSources(['src', 'sandbox'], others)).keys()]).toEqual([]);
});

test('ARCHITECTURE.md prints the modules and what they import', async () => {
  const root = join(import.meta.dirname, '..');
  const entries = await readdir(join(root, 'src'), { withFileTypes: true });
  const modules = [...entries.filter((entry) => entry.isDirectory()).map(({ name }) => name), 'sandbox'];
  const text = await readFile(join(root, 'ARCHITECTURE.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `(?:src\/)?(\w+)` \|.*\| (.+) \|$/gm)].map(([, module, others]) => [
    module,
    others,
  ]);
  const imports = Object.entries(rules.imports).map(([module, others]) => [module, others.join(', ') || 'nothing']);
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(imports));
  expect(Object.keys(rules.imports).sort()).toEqual(modules.sort());
});

test('every table that the migrations make has exactly one owner', async () => {
  const made = readMigratedTables(await readSources(['migrations'], ['.sql']));
  const owned = Object.values(rules.tableOwners).flat();
  expect(owned.filter((table) => table !== 'schema_migrations').sort()).toEqual(made.sort());
});

test('the order of the paid call is one file of less than 100 lines', async () => {
  const sources = await readSources(['src/gateway']);
  expect(sources.get('src/gateway/paid-call.ts')?.split('\n').length).toBeLessThan(100);
});

test('words in texts and comments are not taken for code', () => {
  const text = '// process.env\nexport const shown = `await fetch(1)` + "createCipheriv";\n';
  expect(findViolations(new Map([['src/api/shown.ts', text]]), none)).toEqual([]);
});

/** The real rules, and a permission for one file that it does not use. */
const seeded: Rules = { ...rules, tableReaders: [...rules.tableReaders, 'src/usage/gone.ts calls'] };

const kitIndex = ['src/kit/index.ts', 'export const one = 1;\n'] as const;

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
    'an import past the index.ts of a module',
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
    'a type that is imported where it is used',
    {
      'src/kit/a.ts': `export type A = import('#database/index.ts').Database;\n`,
      'src/database/index.ts': 'export type Database = 1;\n',
    },
    /kit may not import database/,
  ],
  [
    'a dynamic import of a computed name',
    { 'src/kit/a.ts': `const name = '#vault/index.ts';\nexport const load = () => import(name);\n` },
    /kit\/a\.ts: imports a computed name/,
  ],
  [
    'an export of another module passed on',
    { 'src/database/index.ts': `export { one } from '#kit/index.ts';\n` },
    /database\/index\.ts: passes on what kit exports/,
  ],
  [
    'a type of another module passed on under another name',
    { 'src/database/index.ts': `import type { One } from '#kit/index.ts';\nexport type { One as Two };\n` },
    /database\/index\.ts: passes on what kit exports/,
  ],
  [
    'a module that is required instead of imported',
    { 'src/usage/a.ts': `import { createRequire } from 'node:module';\ncreateRequire('/')('#vault/index.ts');\n` },
    /node:module is not for usage/,
  ],
  [
    'a read of the environment under another name',
    { 'src/api/a.ts': `const { env } = process;\nexport const port = env['PORT'];\n` },
    /only config\.ts reads the environment/,
  ],
  [
    'an import of the environment',
    { 'src/api/a.ts': `import { env } from 'node:process';\nexport const port = env['PORT'];\n` },
    /only config\.ts reads the environment/,
  ],
  ['a fetch under another name', { 'src/execution/a.ts': 'const go = fetch;\ngo("http://x");\n' }, /fetch/],
  ['a fetch of the global object', { 'src/execution/a.ts': 'globalThis.fetch("http://x");\n' }, /fetch/],
  [
    'a request by the HTTP module',
    { 'src/gateway/a.ts': `import { request } from 'node:http';\nrequest('http://x');\n` },
    /only surfaces and the simulator speak HTTP/,
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
  ['a permission that nobody uses', {}, /^api may import gateway and does not/m],
  ['a permission for a package that nobody uses', {}, /^src\/gateway\/ may import \^pg\$ and does not/m],
  [
    'a write to the table of another module',
    { 'src/payments/a.ts': 'export const sql = `UPDATE calls SET state = $1`;\n' },
    /payments\/a\.ts: writes calls of gateway/,
  ],
  [
    'a write inside a longer statement',
    { 'src/usage/a.ts': 'export const sql = `WITH x AS (DELETE FROM "public"."calls" RETURNING *) SELECT 1`;\n' },
    /usage\/a\.ts: writes calls of gateway/,
  ],
  [
    'a join with the table of another module',
    { 'src/usage/a.ts': 'export const sql = `SELECT 1 FROM usage_pending u JOIN users o ON o.id = u.owner_id`;\n' },
    /usage\/a\.ts: reads users of accounts/,
  ],
  [
    'a write where only reading is allowed',
    { 'src/resources/a.ts': `export const sql = 'UPDATE users SET name = $1';\n` },
    /resources\/a\.ts: writes users of accounts/,
  ],
  [
    'the name of a table of another module, to be put into SQL elsewhere',
    { 'src/usage/a.ts': `export const table = 'api_keys';\n` },
    /usage\/a\.ts: reads api_keys of accounts/,
  ],
  [
    'SQL whose table is computed',
    { 'src/usage/a.ts': 'export const sql = (table: string) => `DELETE FROM ${table}`;\n' },
    /usage\/a\.ts: writes a computed table/,
  ],
  [
    'SQL in small letters whose table is computed',
    { 'src/usage/a.ts': 'export const sql = (table: string) => `delete from public."${table}"`;\n' },
    /usage\/a\.ts: writes a computed table/,
  ],
  [
    'SQL to whose end a table is added',
    { 'src/usage/a.ts': `export const sql = (table: string) => 'DELETE FROM ' + table;\n` },
    /usage\/a\.ts: writes a computed table/,
  ],
  [
    'a write behind a comment inside SQL',
    { 'src/payments/a.ts': 'export const sql = `DELETE FROM /* ours */ calls`;\n' },
    /payments\/a\.ts: writes calls of gateway/,
  ],
  [
    'SQL in a file that wires',
    { 'src/main.ts': `export const sql = 'select now()';\n` },
    /main\.ts: only modules that own/,
  ],
  [
    'SQL in the sandbox',
    { 'sandbox/a.ts': `export const sql = 'SELECT 1';\n` },
    /sandbox\/a\.ts: only modules that own/,
  ],
  ['a permission to read a table that nobody uses', {}, /table permission "resources users" is not used/],
  ['a permission for one file that nobody uses', {}, /table permission "src\/usage\/gone\.ts calls" is not used/],
  [
    'product code that imports a test',
    { 'src/usage/a.ts': `import { x } from '../../tests/support/x.ts';\nx();\n` },
    /imports a test/,
  ],
  [
    'product code that imports a test beside it',
    {
      'src/usage/a.ts': `import { x } from './b.test.ts';\nx();\n`,
      'src/usage/b.test.ts': 'export const x = () => 1;\n',
    },
    /imports a test/,
  ],
])('the architecture test finds %s', (_what, files, expected) => {
  const violations = findViolations(new Map([kitIndex, ...Object.entries(files)]), seeded);
  expect(violations.join('\n')).toMatch(expected);
});

test('a row lock and an upsert are not taken for SQL whose table is computed', () => {
  const text =
    'export const sql = (columns: string) => `SELECT ${columns} FROM usage_pending FOR UPDATE` +\n' +
    '  `INSERT INTO usage_pending SELECT 1 ON CONFLICT (id) DO UPDATE SET id = ${columns}`;\n';
  const usage = { ...none, imports: { usage: [] }, tableOwners: { usage: ['usage_pending'] } };
  expect(findViolations(new Map([['src/usage/a.ts', text]]), usage)).toEqual([]);
});

test('joins of own tables, views and functions are not taken for tables of others', () => {
  const text =
    'export const sql = `WITH listed AS (SELECT * FROM jsonb_to_recordset($1) AS x(id text))\n' +
    '  INSERT INTO usage_rollups SELECT l.id FROM listed l JOIN usage_pending p USING (id), pg_roles, unnest($2) AS n`;\n';
  const usage = {
    ...none,
    imports: { usage: [] },
    tableOwners: { usage: ['usage_rollups', 'usage_pending'], kit: ['listed_calls'] },
  };
  expect(findViolations(new Map([['src/usage/a.ts', text]]), usage)).toEqual([]);
});
