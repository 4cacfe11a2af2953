import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Child<Said> {
  pid: number;
  /** The line of JSON that it printed when it was ready. */
  said: Said;
  stop(): Promise<void>;
}

/** Runs a script of ours with this Node until it prints one line of JSON. */
export async function startChild<Said>(
  script: string,
  given: { args?: readonly string[]; environment?: Record<string, string> } = {},
): Promise<Child<Said>> {
  const child = spawn(process.execPath, [script, ...(given.args ?? [])], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...given.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([
    once(lines, 'line').then(([text]) => String(text)),
    ended.then(() => Promise.reject(new Error(`${script} ended before it was ready.`))),
  ]);
  return {
    pid: child.pid ?? 0,
    said: JSON.parse(line) as Said,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
