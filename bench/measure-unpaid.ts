import { join } from 'node:path';
import type { BenchWorld } from './open-world.ts';
import { startChild } from './child.ts';
import { compare, type Side } from './compare.ts';
import { perPart } from './processor-time.ts';
import { readRaw, sendFor, type RawAnswer } from './send-unpaid.ts';

const CONNECTIONS = 64;
const WARM_UP_MS = 3000;
const ROUND_MS = 1500;
/** Node writes these itself. */
const ownOfNode = new Set(['date', 'connection', 'keep-alive']);

/** The 402 that everybody gets who does not pay, against a bare server that sends exactly the same bytes. */
export async function measureUnpaid(world: BenchWorld): Promise<void> {
  const port = Number(new URL(world.farebox.url).port);
  const answer = await readRaw(port);
  const fixed = {
    status: answer.status,
    headers: Object.fromEntries(answer.headers.filter(([name]) => !ownOfNode.has(name.toLowerCase()))),
    body: answer.body.toString('base64'),
  };
  const bare = await startChild<{ port: number }>(join(import.meta.dirname, 'bare-server.ts'), {
    args: [JSON.stringify(fixed)],
  });
  try {
    assertSame(answer, await readRaw(bare.said.port));
    const toSide = (name: string, server: { pid: number; port: number }): Side => {
      const send = (ms: number) => sendFor(ms, { port: server.port, connections: CONNECTIONS, length: answer.length });
      return {
        name,
        warmUp: () => send(WARM_UP_MS),
        round: async () => {
          const { parts, ...rest } = await perPart(server.pid, () => send(ROUND_MS));
          return { perSecond: (parts * 1000) / ROUND_MS, ...rest };
        },
      };
    };
    await compare({
      title: `The 402 without payment (${answer.length} bytes, ${CONNECTIONS} connections)`,
      unit: 'answers',
      rounds: 7,
      aim: 0.7,
      ours: toSide('Farebox', { pid: world.farebox.pid, port }),
      theirs: toSide('bare node:http, the same bytes', { pid: bare.pid, port: bare.said.port }),
    });
  } finally {
    await bare.stop();
  }
}

/** The two answers are the same, but for the headers that differ from request to request. */
function assertSame(ours: RawAnswer, theirs: RawAnswer): void {
  const plain = ({ headers, body, length, status }: RawAnswer): string =>
    JSON.stringify({
      status,
      length,
      body: body.toString('base64'),
      headers: headers.filter(([name]) => !/^(date|x-request-id)$/i.test(name)),
    });
  if (plain(ours) !== plain(theirs)) {
    throw new Error(`The two servers do not send the same bytes:\n${plain(ours)}\n${plain(theirs)}`);
  }
}
