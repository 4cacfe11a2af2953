import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const configs = ['.oxlintrc.json', '.oxfmtrc.json', 'tsconfig.json', 'knip.json'];

type Files = Record<string, string>;

/** A tiny project under this repository's own settings; nothing in it is wrong. */
const clean: Files = {
  'package.json': '{ "name": "seeded", "private": true, "type": "module" }\n',
  'src/main.ts': `import { double } from './double.ts';\n\nprocess.stdout.write(String(double(21)));\n`,
  'src/double.ts': 'export function double(value: number): number {\n  return 2 * value;\n}\n',
};

async function makeProject(files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-check-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await Promise.all(configs.map((name) => copyFile(join(root, name), join(folder, name))));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

/** As `npm run check` calls them. */
const commands = {
  oxfmt: ['--check', '.'],
  oxlint: ['--type-aware', '--deny-warnings'],
  tsc: ['-p', '.'],
  knip: [],
  'knip --production': ['--production', '--exclude', 'types'],
} as const;

type Tool = keyof typeof commands;

async function run(tool: Tool, files: Files): Promise<{ code: number; output: string }> {
  const folder = await makeProject(files);
  const file = join(root, 'node_modules/.bin', tool.split(' ')[0] ?? '');
  const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  return new Promise((resolve) => {
    execFile(file, commands[tool], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

test.each(Object.keys(commands) as Tool[])('%s finds nothing where nothing is wrong', async (tool) => {
  expect(await run(tool, clean)).toMatchObject({ code: 0 });
});

const double = clean['src/double.ts'] ?? '';
const inDouble = (text: string): Files => ({ 'src/double.ts': `${double}\n${text}` });
const statements = (count: number): string => '  process.stdout.write("x");\n'.repeat(count);

test.each<[Tool, string, Files, RegExp]>([
  ['oxfmt', 'another style', { 'src/double.ts': double.replace('2 * value;', '2*value') }, /double\.ts/],
  ['tsc', 'a wrong type', { 'src/main.ts': `import { double } from './double.ts';\n\ndouble('x');\n` }, /TS2345/],
  [
    'tsc',
    'a possibly missing element',
    inDouble('export const first = (all: number[]): number => all[0];\n'),
    /TS2322/,
  ],
  ['tsc', 'syntax that Node cannot strip', inDouble('export enum Coin {\n  Usdc,\n}\n'), /TS1294/],
  [
    'tsc',
    'a way out without a value',
    inDouble('export function sign(n: number) {\n  if (n) {\n    return 1;\n  }\n}\n'),
    /TS7030/,
  ],
  ['knip', 'an export that nothing uses', inDouble('export const lonely = 1;\n'), /lonely/],
  ['knip', 'a file that nothing uses', { 'src/lonely.ts': 'export const one = 1;\n' }, /src\/lonely\.ts/],
  [
    'knip',
    'a dependency that nothing uses',
    { 'package.json': '{ "name": "seeded", "type": "module", "dependencies": { "zod": "4.6.7" } }\n' },
    /zod/,
  ],
  [
    'knip --production',
    'an export that only a test uses',
    {
      ...inDouble('export const lonely = 1;\n'),
      'src/double.test.ts': `import { lonely } from './double.ts';\n\nlonely;\n`,
      'package.json': '{ "name": "seeded", "type": "module", "devDependencies": { "vitest": "5.1.1" } }\n',
    },
    /lonely/,
  ],
  [
    'oxlint',
    'a promise that nobody awaits',
    inDouble('export const go = (): void => {\n  Promise.resolve(1);\n};\n'),
    /no-floating-promises/,
  ],
  ['oxlint', 'any', inDouble('export const loose: any = 1;\n'), /no-explicit-any/],
  [
    'oxlint',
    'a non-null assertion',
    inDouble('export const sure = (n?: number): number => n!;\n'),
    /no-non-null-assertion/,
  ],
  ['oxlint', 'a default export', { 'src/double.ts': double.replace('export', 'export default') }, /no-default-export/],
  ['oxlint', 'console in a module', inDouble(`console.log('x');\n`), /no-console/],
  [
    'oxlint',
    'a cycle of imports',
    {
      'src/double.ts': `import { one } from './one.ts';\n\n${double.replace('2', 'one')}`,
      'src/one.ts': `import { double } from './double.ts';\n\nexport const one = double(1);\n`,
    },
    /no-cycle/,
  ],
  ['oxlint', 'a file name in another style', { 'src/someFile.ts': 'export const one = 1;\n' }, /filename-case/],
  ['oxlint', 'a file over its budget', inDouble('export {};\n'.repeat(301)), /max-lines/],
  [
    'oxlint',
    'a function over its budget',
    inDouble(`export function long(): void {\n${statements(81)}}\n`),
    /max-lines-per-function/,
  ],
  [
    'oxlint',
    'a fourth parameter',
    inDouble('export const sum = (a: 1, b: 2, c: 3, d: 4): number => a + b + c + d;\n'),
    /max-params/,
  ],
  [
    'oxlint',
    'nesting over its budget',
    inDouble(`export function deep(n: number): void {\n${'if (n) {\n'.repeat(4)}n;\n${'}\n'.repeat(4)}}\n`),
    /max-depth/,
  ],
])('%s finds %s', async (...[tool, , seeded, expected]) => {
  const { code, output } = await run(tool, { ...clean, ...seeded });
  expect(output).toMatch(expected);
  expect(code).toBeGreaterThan(0);
});
