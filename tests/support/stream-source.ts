import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One line a chunk. `fail` ends the answer as failed; `break` cuts the connection. */
export type Chunk = { text: string } | { fail: true } | { break: true };

/** What the toy stream kind asks: an upstream that answers in chunks as the test says. */
export interface StreamSource {
  url: string;
  /** Of all requests for the topic from now on; three chunks unless told. */
  script(topic: string, chunks: readonly Chunk[]): void;
  /** Lets the answer for the topic stand still before chunk `index`; resolves when it does. */
  hold(topic: string, index: number): Promise<void>;
  /** Lets everything go on that stands still now. */
  release(): void;
  /** Resolves when whoever asked for the topic has gone before the end. */
  untilLeft(topic: string): Promise<void>;
  /** How often the topic was asked for. */
  countRuns(topic: string): number;
  close(): Promise<void>;
}

interface Hold {
  topic: string;
  index: number;
  reached(): void;
  isReached: boolean;
  gate: PromiseWithResolvers<void>;
}

const usual: readonly Chunk[] = [{ text: 'one ' }, { text: 'two ' }, { text: 'three' }];

export async function startStreamSource(): Promise<StreamSource> {
  const scripts = new Map<string, readonly Chunk[]>();
  const runs = new Map<string, number>();
  const leaving = new Map<string, () => void>();
  let holds: Hold[] = [];

  async function write(topic: string, res: ServerResponse): Promise<void> {
    for (const [index, chunk] of (scripts.get(topic) ?? usual).entries()) {
      const hold = holds.find((candidate) => candidate.topic === topic && candidate.index === index);
      if (hold) {
        hold.isReached = true;
        hold.reached();
        await hold.gate.promise;
      }
      if ('break' in chunk) {
        res.destroy();
        return;
      }
      res.write(`${JSON.stringify(chunk)}\n`);
    }
    res.end();
  }

  const server = createServer((req, res) => {
    const topic = new URL(req.url ?? '/', 'http://source').searchParams.get('topic') ?? '';
    runs.set(topic, (runs.get(topic) ?? 0) + 1);
    res.once('close', () => {
      if (!res.writableFinished) {
        leaving.get(topic)?.();
      }
    });
    void write(topic, res);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    script: (topic, chunks) => void scripts.set(topic, chunks),
    hold: (topic, index) =>
      new Promise((resolve) => {
        holds.push({ topic, index, reached: resolve, isReached: false, gate: Promise.withResolvers() });
      }),
    release: () => {
      const reached = holds.filter((hold) => hold.isReached);
      holds = holds.filter((hold) => !hold.isReached);
      reached.forEach((hold) => hold.gate.resolve());
    },
    untilLeft: (topic) => new Promise((resolve) => leaving.set(topic, resolve)),
    countRuns: (topic) => runs.get(topic) ?? 0,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
