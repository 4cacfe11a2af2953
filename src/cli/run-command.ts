import type { Check } from './doctor.ts';
import { doctor } from './doctor.ts';

/** What the commands do; `main` passes it. Each resolves when the command is done. */
export interface CommandPorts {
  version: string;
  serve(): Promise<void>;
  migrate(): Promise<string[]>;
  listChecks(): Promise<readonly Check[]>;
  demo(print: (line: string) => void): Promise<void>;
  syncModels(): Promise<string>;
  rotateMasterKey(): Promise<string>;
  writeDocs(): Promise<string>;
}

const usage = `farebox <command>

  serve               start the server (npm start)
  demo                make a wallet, pay for a call and show each step; needs a running sandbox server
  doctor              check ports, database, chain and keys, and say how to mend them
  migrate             bring the database up to date
  sync-models         read the model catalogue now
  rotate-master-key   put all secrets under NEW_MASTER_KEY while everything runs
  docs                write docs/configuration.md
  version             print the version

Settings are environment variables: docs/configuration.md.`;

/** Runs one command of the command line. Throws what goes wrong; `main` prints it. @returns the exit code. */
export async function runCommand(args: readonly string[], ports: CommandPorts): Promise<number> {
  const print = (line: string): void => console.log(line);
  switch (args[0]) {
    case 'serve':
      await ports.serve();
      return 0;
    case 'migrate': {
      const applied = await ports.migrate();
      print(applied.length === 0 ? 'The database is up to date.' : `Applied ${applied.join(', ')}.`);
      return 0;
    }
    case 'doctor':
      return (await doctor({ checks: await ports.listChecks(), print })) ? 0 : 1;
    case 'demo':
      await ports.demo(print);
      return 0;
    case 'sync-models':
      print(await ports.syncModels());
      return 0;
    case 'rotate-master-key':
      print(await ports.rotateMasterKey());
      return 0;
    case 'docs':
      print(await ports.writeDocs());
      return 0;
    case 'version':
      print(`farebox ${ports.version} on Node ${process.versions.node}`);
      return 0;
    default:
      print(args[0] === undefined || args[0] === 'help' ? usage : `Unknown command "${args[0]}".\n\n${usage}`);
      return args[0] === 'help' ? 0 : 64;
  }
}
