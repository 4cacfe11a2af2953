import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  status: number;
  /** In the order and case in which they came. */
  headers: [string, string][];
  body: Buffer;
  /** All of it, in bytes. */
  length: number;
}

const ASK = 'POST /@bench/haiku HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n';

/** One request without payment; the answer as it stood on the wire. */
export async function readRaw(port: number): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(ASK);
  let bytes = Buffer.alloc(0);
  for (;;) {
    const [part] = (await once(socket, 'data')) as [Buffer];
    bytes = Buffer.concat([bytes, part]);
    const answer = parse(bytes);
    if (answer) {
      socket.destroy();
      return answer;
    }
  }
}

function parse(bytes: Buffer): RawAnswer | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) {
    return null;
  }
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const bodyLength = Number(headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1]);
  const length = end + 4 + bodyLength;
  return bytes.length < length
    ? null
    : { status: Number(first.split(' ')[1]), headers, body: bytes.subarray(end + 4, length), length };
}

/** Keeps each connection busy with one request after the other; answers are only counted, by their known length. */
export async function sendFor(
  ms: number,
  target: { port: number; connections: number; length: number },
): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: target.connections }, () => open(target.port)));
  let done = 0;
  let isOver = false;
  const closed = sockets.map(async (socket) => {
    let pending = target.length;
    socket.on('data', (part: Buffer) => {
      pending -= part.length;
      if (pending > 0 || isOver) {
        return;
      }
      done += 1;
      pending = target.length;
      socket.write(ASK);
    });
    socket.write(ASK);
    await once(socket, 'close');
  });
  await new Promise((resolve) => setTimeout(resolve, ms));
  isOver = true;
  sockets.forEach((socket) => socket.destroy());
  await Promise.all(closed);
  return done;
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}
