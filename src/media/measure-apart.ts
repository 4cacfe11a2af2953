import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { FileMeasures, FileToMeasure } from './measure-file.ts';

interface Asked extends FileToMeasure {
  /** Who sent the file: of one client one file is measured at a time, and clients take turns. */
  client: string;
  /** Of `performance.now()`: nobody waits for a turn beyond it. */
  untilMs: number;
}

/** Far more than an honest file takes. */
const LONGEST_MS = 3_000;
const THREADS = 2;
const resourceLimits = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 32 };
const nothing: FileMeasures = { pages: null, seconds: null };

const waiting: { client: string; start(): void }[] = [];
const measuring = new Set<string>();
const idle: Worker[] = [];

/**
 * Measures a file on another thread, so that one that is made to take long holds up nobody but who sent it: a thread that
 * takes too much time or memory is ended, and the file does not tell. `busy`: its turn did not come.
 */
export async function measureApart({ client, untilMs, ...file }: Asked): Promise<FileMeasures | 'busy'> {
  if (!(await takeTurn(client, untilMs))) {
    return 'busy';
  }
  try {
    return await measure(file);
  } finally {
    measuring.delete(client);
    startNext();
  }
}

function takeTurn(client: string, untilMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const turn = {
      client,
      start: () => {
        clearTimeout(timer);
        resolve(true);
      },
    };
    const timer = setTimeout(
      () => {
        waiting.splice(waiting.indexOf(turn), 1);
        resolve(false);
      },
      Math.max(0, untilMs - performance.now()),
    );
    waiting.push(turn);
    startNext();
  });
}

function startNext(): void {
  const at = measuring.size < THREADS ? waiting.findIndex(({ client }) => !measuring.has(client)) : -1;
  const [turn] = at === -1 ? [] : waiting.splice(at, 1);
  if (turn) {
    measuring.add(turn.client);
    turn.start();
  }
}

async function measure(file: FileToMeasure): Promise<FileMeasures> {
  const thread = idle.pop() ?? (await openThread());
  const limit = AbortSignal.timeout(LONGEST_MS);
  try {
    thread.postMessage(file, []);
    const [measures] = (await once(thread, 'message', { signal: limit })) as [FileMeasures];
    idle.push(thread);
    return measures;
  } catch {
    await thread.terminate();
    return nothing;
  }
}

/** An idle thread keeps no process alive. */
async function openThread(): Promise<Worker> {
  const thread = new Worker(new URL('./measure-thread.ts', import.meta.url), { execArgv: [], env: {}, resourceLimits });
  thread.unref();
  await once(thread, 'message');
  // Without a listener the end of a thread that ran out of memory would be the end of the process.
  thread.on('error', () => {});
  return thread;
}
