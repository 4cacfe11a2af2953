import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { useApp } from './support/start-app.ts';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

/** The names in what a program prints of an object, outside of its texts. */
const listNames = (printed: string): string[] =>
  [...printed.replaceAll(/'[^']*'/g, '').matchAll(/(\w+):/g)].map((found) => found[1] ?? '');
const app = useApp();

/** The blocks of the README between the line that says they are tried and their end. */
async function readReadme(): Promise<{ commands: string[]; programs: Map<string, string> }> {
  const text = await readFile(join(root, 'README.md'), 'utf8');
  const commands = [...text.matchAll(/<!-- tried by tests\/readme\.test\.ts -->\n```sh\n(.*?)```/gs)];
  const programs = [...text.matchAll(/Save this as `([\w.]+)`[^\n]*\n\n```js\n(.*?)```/gs)];
  return {
    commands: commands.map((found) => found[1] ?? ''),
    programs: new Map(programs.map(([, name = '', program = '']) => [name, program])),
  };
}

test('every step of the README works as it is shown, from the first 402 to the usage of a resource of one’s own', async () => {
  const { commands, programs } = await readReadme();
  expect(commands).toHaveLength(6);
  expect([...programs.keys()]).toEqual(['pay.mjs', 'chat.mjs']);
  const folder = await mkdtemp(join(tmpdir(), 'farebox-readme-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, program] of programs) {
    await writeFile(join(folder, name), program);
  }

  const script = commands.map((block) => `${block}\necho; echo ---`).join('\n');
  const here = script.replaceAll('http://localhost:4020', app.current.url);
  const environment = { HOME: folder, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  const { stdout } = await run('bash', ['-eu', '-o', 'pipefail', '-c', here], { cwd: folder, env: environment });

  const [challenge, paid, said, signedUp, published, earned] = stdout.split('---\n');
  expect(challenge).toMatch(/^HTTP\/1\.1 402 .*PAYMENT-REQUIRED: /s);
  expect(paid).toMatch(/^200 \{.*\[simulated\].*paidUsdc: '0\.01'/s);
  const text = await readFile(join(root, 'README.md'), 'utf8');
  const shown = /```\n(200 \{.*?)```/s.exec(text)?.[1] ?? '';
  const answered = listNames(paid ?? '');
  expect(listNames(shown).filter((name) => !answered.includes(name))).toEqual([]);
  expect(listNames(shown)).toEqual(
    expect.arrayContaining(['response', 'finishReason', 'usage', 'simulated', 'receipt']),
  );
  expect(said).toMatch(/^\[simulated\] .{20}/s);
  expect(signedUp).toMatch(/"secret":"fbx_[\w-]{43}"/);
  expect(published).toMatch(/"lastFour".*"state":"published"/s);
  expect(earned).toMatch(/"test":true.*paidUsdc: '0\.02'.*"earnedUsdc":"0\.02"/s);
  expect(stdout).not.toContain('"status":4');
});
