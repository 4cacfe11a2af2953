import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const run = promisify(execFile);
let root: string;

/** A tiny program that is started as the launcher starts Farebox. */
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'farebox-stripped-'));
  await Promise.all(['bin', 'src', 'sandbox'].map((name) => mkdir(join(root, name))));
  await writeFile(join(root, 'package.json'), '{ "type": "module" }');
  await copyFile(join(import.meta.dirname, '../bin/stripped-sources.mjs'), join(root, 'bin/stripped-sources.mjs'));
  await writeFile(
    join(root, 'bin/start.mjs'),
    `import { useStrippedSources } from './stripped-sources.mjs';
     useStrippedSources();
     await import('../src/program.ts');`,
  );
  await writeProgram('first');
});

afterEach(() => rm(root, { recursive: true, force: true }));

const kept = () => readdir(join(root, 'node_modules/.cache/farebox'));

async function writeProgram(word: string): Promise<void> {
  await writeFile(
    join(root, 'src/program.ts'),
    `interface Unused {\n  a: number;\n}\nconst word: string = '${word}';\n` +
      `console.log(word, (new Error('here').stack ?? '').split('\\n')[1]);\n` +
      `await import('../sandbox/chain.ts');\n`,
  );
  await writeFile(join(root, 'sandbox/chain.ts'), `console.log('chain' satisfies string);\n`);
}

async function start(): Promise<string> {
  const { stdout } = await run(process.execPath, [join(root, 'bin/start.mjs')]);
  return stdout;
}

test('a start keeps the sources of src and sandbox without their types, and traces still point into them', async () => {
  const place = /src\/program\.ts:5:20\)?$/m;
  expect(await start()).toMatch(place);
  expect(await kept()).toHaveLength(2);
  expect(await start()).toMatch(place);
});

test('what runs is the current source, and the stripped copies of older ones are removed', async () => {
  await start();
  const before = await kept();
  await writeProgram('second');
  expect(await start()).toMatch(/^second /);
  const now = await kept();
  expect(now).toHaveLength(2);
  expect(now.filter((name) => before.includes(name))).toHaveLength(1);
});

test('where no stripped copies can be kept, the server starts all the same', async () => {
  await writeFile(join(root, 'node_modules'), 'a file in the way');
  expect(await start()).toMatch(/^first /);
});
