import { parseArgs } from 'node:util';
import type { Check } from './doctor.ts';
import { doctor } from './doctor.ts';
import { openScreen, type Screen } from './show-waiting.ts';
import { suggestNearest } from './suggest-nearest.ts';

/** What the commands do; `main` passes it. Each resolves when the command is done. */
export interface CommandPorts {
  version: string;
  /** The names of the environment variables that configure everything. */
  settings: readonly string[];
  serve(): Promise<void>;
  migrate(): Promise<string[]>;
  listChecks(): Promise<readonly Check[]>;
  demo(screen: Screen): Promise<void>;
  syncModels(): Promise<string>;
  rotateMasterKey(): Promise<string>;
  writeDocs(): Promise<string>;
}

type Print = (line: string) => void;

interface Command {
  summary: string;
  /** What more `--help` says. */
  details: string;
  /** @returns the exit code; none is 0. */
  run(ports: CommandPorts, print: Print): Promise<number | void>;
}

/** As sysexits.h has it: the command line was not understood. */
const USAGE = 64;

const commands: Readonly<Record<string, Command>> = {
  serve: {
    summary: 'start the server (npm start)',
    details:
      'MODE=sandbox (the default) brings everything along; MODE=live needs a few settings and names them. Ctrl-C stops it.',
    run: (ports) => ports.serve(),
  },
  demo: {
    summary: 'make a wallet, pay for a call and show each step; needs a running sandbox server',
    details: 'PORT is that of the server. It spends test USDC of the faucet; nothing is real money.',
    run: (ports) => ports.demo(openScreen(process.stdout)),
  },
  doctor: {
    summary: 'check folder, ports, database, chain and keys, and say how to mend them',
    details: 'It changes nothing. The exit code is 1 where something needs mending.',
    run: async (ports, print) => ((await doctor({ checks: await ports.listChecks(), print })) ? 0 : 1),
  },
  migrate: {
    summary: 'bring the database up to date',
    details: 'Every start does it too; by itself it may run before a deployment. It names what it applied.',
    run: async (ports, print) => {
      const applied = await ports.migrate();
      print(applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}.`);
    },
  },
  'sync-models': {
    summary: 'read the model catalogue now',
    details: 'In the sandbox the server must be running: its OpenRouter is the one that is asked.',
    run: async (ports, print) => print(await ports.syncModels()),
  },
  'rotate-master-key': {
    summary: 'put all secrets under NEW_MASTER_KEY while everything runs',
    details: 'Give every process both keys first; make NEW_MASTER_KEY the MASTER_KEY afterwards.',
    run: async (ports, print) => print(await ports.rotateMasterKey()),
  },
  docs: {
    summary: 'write docs/configuration.md',
    details: 'From the table of settings in src/config.ts.',
    run: async (ports, print) => print(await ports.writeDocs()),
  },
  version: {
    summary: 'print the version',
    details: 'The same as --version.',
    run: async (ports, print) => print(toVersion(ports)),
  },
};

const width = Math.max(...Object.keys(commands).map((name) => name.length));
const usage = [
  'farebox <command> [--help]',
  '',
  ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
  '',
  'Settings are environment variables: docs/configuration.md.',
  'Exit codes: 0 done, 1 failed, 64 the command line was not understood, 78 the configuration is wrong.',
].join('\n');

/** Runs one command of the command line. Throws what goes wrong; `main` prints it. @returns the exit code. */
export async function runCommand(args: readonly string[], ports: CommandPorts): Promise<number> {
  const print: Print = (line) => console.log(line);
  const refuse = (why: string): number => {
    console.error(why);
    return USAGE;
  };
  const { values, positionals, unknown } = readArguments(args);
  const [given, ...more] = positionals[0] === 'help' ? positionals.slice(1) : positionals;
  const wantsHelp = values.help === true || positionals[0] === 'help';
  const command = given !== undefined && Object.hasOwn(commands, given) ? commands[given] : undefined;
  if (unknown !== undefined) {
    return refuse(explainOption(unknown, command && given, ports.settings));
  }
  if (given !== undefined && !command) {
    const nearest = suggestNearest(given, Object.keys(commands));
    return refuse(`Unknown command "${given}".${nearest === null ? '' : ` Did you mean "${nearest}"?`}\n\n${usage}`);
  }
  if (more.length > 0) {
    return refuse(`"${given}" takes nothing else; "${more[0]}" was not expected.\n\n${explainCommand(given, command)}`);
  }
  if (wantsHelp) {
    print(command ? explainCommand(given, command) : usage);
    return 0;
  }
  if (values.version === true) {
    print(toVersion(ports));
    return 0;
  }
  return command ? ((await command.run(ports, print)) ?? 0) : refuse(usage);
}

/** `unknown`: the first option that there is not, as it was typed. */
function readArguments(args: readonly string[]) {
  const options = {
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean', short: 'v' },
  } as const;
  const { values, positionals, tokens } = parseArgs({
    args: [...args],
    options,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const unknown = tokens.find((token) => token.kind === 'option' && !Object.hasOwn(options, token.name));
  return { values, positionals, unknown: unknown?.kind === 'option' ? unknown.rawName : undefined };
}

function explainOption(option: string, command: string | undefined, settings: readonly string[]): string {
  const word = option.replace(/^-+/, '');
  const known = suggestNearest(word, ['help', 'version']);
  const advice = known === null ? '' : `Did you mean "--${known}"? `;
  const of = command === undefined ? '' : ` of "${command}"`;
  return `Unknown option "${option}"${of}. ${advice}Settings are environment variables: ${pointToSetting(word, settings)}`;
}

function pointToSetting(word: string, settings: readonly string[]): string {
  const asked = word.toLowerCase().replaceAll('-', '_');
  const nearest = suggestNearest(
    asked,
    settings.map((name) => name.toLowerCase()),
  );
  if (nearest === null) {
    return 'docs/configuration.md.';
  }
  const where = `${nearest.toUpperCase()}=… in front of the command`;
  return nearest === asked ? `write ${where}.` : `did you mean ${where}?`;
}

function explainCommand(name: string | undefined, command: Command | undefined): string {
  return `farebox ${name}: ${command?.summary}\n\n${command?.details}\n\nSettings are environment variables: docs/configuration.md.`;
}

function toVersion({ version }: CommandPorts): string {
  return `farebox ${version} on Node ${process.versions.node}`;
}
