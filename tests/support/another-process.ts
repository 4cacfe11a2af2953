import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { App } from './start-app.ts';
import { findFreePort } from './free-port.ts';

export interface AnotherProcess {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

const program = resolve(import.meta.dirname, '../../bin/farebox.mjs');

/** A second server on the database, chain and simulator of the app. It stops with `stop()`, gracefully. */
export async function startAnotherProcess(app: App, environment: Record<string, string>): Promise<AnotherProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-other-'));
  const port = await findFreePort();
  const child = spawn(process.execPath, [program, 'serve'], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      PORT: String(port),
      DATA_DIR: folder,
      DATABASE_URL: app.databaseUrl,
      RPC_URLS: `eip155:84532=${app.sandbox?.chain?.rpcUrl ?? ''}`,
      OPENROUTER_BASE_URL: app.sandbox?.openRouter?.url ?? '',
      LOG_LEVEL: 'warn',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let said = '';
  const ready = new Promise<void>((resolveReady) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('is ready at')) {
          resolveReady();
        }
      });
    }
  });
  await Promise.race([
    ready,
    exited.then(() => {
      throw new Error(`The second process ended early:\n${said}`);
    }),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
