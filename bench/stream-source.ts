/**
 * What both sides of the stream measurement pass on: a chat-completions upstream that answers 200 chunks. A prompt with "pause" stands still after its first chunk; with "together", in the middle until
 * all of the wanted number stand there.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

const TOGETHER = Number(process.argv[2]);
const CHUNKS = 200;
const PAUSE_MS = 20;

const toFrame = (content: string, finish: string | null): Buffer =>
  Buffer.from(
    `data: ${JSON.stringify({
      id: 'gen-1700000000-abcdefghij0123456789',
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model: 'bench/two-hundred',
      provider: 'Bench',
      choices: [
        { index: 0, delta: { role: 'assistant', content }, finish_reason: finish, native_finish_reason: finish },
      ],
    })}\n\n`,
  );
/** Chunks of one answer differ in their text and, from most upstreams, in nothing else. */
const chunks = ['stream ', 'of ', 'differing ', '“words” ', 'and\n', 'lines'].map((text) => toFrame(text, null));
const chunkAt = (index: number): Buffer => chunks[index % chunks.length] as Buffer;
const end = Buffer.concat([toFrame('', 'stop'), Buffer.from('data: [DONE]\n\n')]);

let standing = 0;
let all = Promise.withResolvers<void>();

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  let body = '';
  for await (const piece of req) {
    body += String(piece);
  }
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let sent = 0; sent < CHUNKS; sent += 1) {
    res.write(chunkAt(sent));
    if (sent === 0 && body.includes('pause')) {
      await wait(PAUSE_MS);
    } else if (sent === CHUNKS / 2 && body.includes('together')) {
      // One that is silent for a minute is given up.
      const beat = setInterval(() => res.write(chunkAt(0)), 5_000);
      await untilAll();
      clearInterval(beat);
    } else if (sent % 8 === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  res.end(end);
}

async function untilAll(): Promise<void> {
  const current = all;
  standing += 1;
  if (standing === TOGETHER) {
    standing = 0;
    all = Promise.withResolvers();
    current.resolve();
  }
  await current.promise;
}

const source = createServer((req, res) => void answer(req, res));
// A thousand come at once.
source.listen({ port: 0, host: '127.0.0.1', backlog: 2_048 });
await once(source, 'listening');
console.log(JSON.stringify({ url: `http://127.0.0.1:${(source.address() as AddressInfo).port}` }));
process.once('SIGTERM', () => process.exit(0));
