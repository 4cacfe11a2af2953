import { beforeEach, expect, test, vi } from 'vitest';
import { runCommand, type CommandPorts } from './run-command.ts';

const done: string[] = [];
const note = (name: string) => async () => void done.push(name);
const ports: CommandPorts = {
  version: '1.2.3',
  settings: ['PORT', 'DATA_DIR'],
  serve: note('serve'),
  migrate: async () => [],
  listChecks: async () => [],
  demo: note('demo'),
  syncModels: async () => 'synced',
  rotateMasterKey: async () => 'rotated',
  writeDocs: async () => 'written',
};

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: [] as string[], err: [] as string[] };
  vi.spyOn(console, 'log').mockImplementation((line: string) => void said.out.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void said.err.push(line));
  const code = await runCommand(args, ports);
  vi.restoreAllMocks();
  return { code, out: said.out.join('\n'), err: said.err.join('\n') };
}

beforeEach(() => void done.splice(0));

test.each([[['--help']], [['-h']], [['help']]])(
  '%j prints the commands, the exit codes and where settings stand',
  async (args) => {
    const { code, out, err } = await run(...args);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/serve +start the server.*rotate-master-key.*docs\/configuration\.md.*Exit codes: 0 done/s);
  },
);

test.each([[['serve', '--help']], [['help', 'serve']], [['-h', 'serve']]])(
  '%j explains the one command and runs nothing',
  async (args) => {
    const { code, out } = await run(...args);
    expect([code, done]).toEqual([0, []]);
    expect(out).toMatch(/^farebox serve: start the server/);
    expect(out).toMatch(/MODE=live needs a few settings/);
  },
);

test.each([[['--version']], [['-v']], [['version']]])('%j prints the version', async (args) => {
  expect(await run(...args)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^farebox 1\.2\.3 on Node \d+/) as string,
  });
});

test.each<[string[], RegExp]>([
  [['sever'], /^Unknown command "sever"\. Did you mean "serve"\?\n\nfarebox <command>/],
  [['sync-model'], /Did you mean "sync-models"\?/],
  [['constructor'], /^Unknown command "constructor"\.\n\n/],
  [
    ['serve', '--port', '4030'],
    /^Unknown option "--port" of "serve"\. Settings are environment variables: write PORT=… in/,
  ],
  [['serve', '--data-dir=/srv'], /write DATA_DIR=…/],
  [['doctor', '--hlep'], /^Unknown option "--hlep" of "doctor"\. Did you mean "--help"\?/],
  [['doctor', '-x'], /^Unknown option "-x" of "doctor"\. Settings are environment variables: docs/],
  [['--prt', '5'], /^Unknown option "--prt"\. Settings are environment variables: did you mean PORT=… in front of/],
  [['serve', '--data-dri=/srv'], /^Unknown option "--data-dri" of "serve"\. .*did you mean DATA_DIR=…/],
  [['sever', '--port', '5'], /^Unknown option "--port"\. Settings are environment variables: write PORT=…/],
  [['demo', 'now'], /^"demo" takes nothing else; "now" was not expected\.\n\nfarebox demo: /],
  [[], /^farebox <command>/],
])('%j is refused with what was probably meant, and nothing runs', async (args, says) => {
  const { code, out, err } = await run(...args);
  expect(err).toMatch(says);
  expect([code, out, done]).toEqual([64, '', []]);
});

test('a command runs and its result is printed', async () => {
  expect(await run('migrate')).toMatchObject({ code: 0, out: 'The database is up to date.' });
  await run('serve');
  expect(done).toEqual(['serve']);
});
