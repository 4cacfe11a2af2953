/**
 * An upstream that costs next to nothing: the simulator's first answer to a chat is kept, one as a stream and one as JSON,
 * and the same bytes go to every further one. Everything else is the simulator's. Takes its URL as its argument.
 */
import {
  createServer,
  request as ask,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

interface Kept {
  status: number;
  headers: IncomingHttpHeaders;
  /** As they arrived: a stream stays in its pieces. */
  pieces: Buffer[];
}

const simulator = new URL(process.argv[2] ?? '');
const kept = new Map<boolean, Promise<Kept>>();
/** Of one connection, and Node's own. */
const ofConnection = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date']);

async function readAll(stream: IncomingMessage): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) {
    pieces.push(piece as Buffer);
  }
  return pieces;
}

function askSimulator(req: IncomingMessage, body: Buffer): Promise<Kept> {
  const { promise, resolve, reject } = Promise.withResolvers<Kept>();
  const { method, headers } = req;
  const asked = ask(new URL(req.url ?? '/', simulator), { method, headers: { ...headers, host: simulator.host } });
  asked.on('response', (answer) => {
    const { statusCode: status = 502 } = answer;
    readAll(answer).then((pieces) => resolve({ status, headers: answer.headers, pieces }), reject);
  });
  asked.on('error', reject).end(body);
  return promise;
}

/** Only a good answer is kept. */
async function askOnce(isStream: boolean, req: IncomingMessage, body: Buffer): Promise<Kept> {
  const answer = askSimulator(req, body);
  kept.set(isStream, answer);
  const { status } = await answer;
  if (status !== 200) {
    kept.delete(isStream);
  }
  return answer;
}

async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const body = Buffer.concat(await readAll(req));
  const isStream = body.includes('"stream":true');
  const isChat = req.url === `${simulator.pathname}/chat/completions`;
  const answer = await (isChat ? (kept.get(isStream) ?? askOnce(isStream, req, body)) : askSimulator(req, body));
  const headers = Object.entries(answer.headers).filter(([name]) => !ofConnection.has(name));
  res.writeHead(answer.status, Object.fromEntries(headers));
  for (const piece of answer.pieces) {
    res.write(piece);
  }
  res.end();
}

const server = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
  serve(req, res).catch(() => res.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}${simulator.pathname}` }));
});
process.once('SIGTERM', () => process.exit(0));
