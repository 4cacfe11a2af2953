import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface RawRequest {
  method?: string;
  /** The target as it goes over the wire: nothing is normalised or encoded. */
  path: string;
  headers?: Record<string, string | string[]>;
  body?: string | Uint8Array;
}

export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The parsed body, `{}` where it is no JSON object. */
  json: Record<string, unknown>;
}

/** Sends a request that `fetch` would correct or refuse. */
export async function sendRaw(origin: string, { method = 'GET', path, headers, body }: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const outgoing = request({ hostname, port, method, path, headers: { ...length, ...headers }, agent: false });
  outgoing.on('error', () => {});
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return toAnswer(response.statusCode ?? 0, response.headers, await text(response));
}

/** Sends bytes that are no HTTP request, or only nearly. */
export async function sendBytes(origin: string, bytes: string): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.end(Buffer.from(bytes, 'latin1'));
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  return toAnswer(Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), {}, body);
}

function toAnswer(status: number, headers: RawAnswer['headers'], body: string): RawAnswer {
  let json: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(body);
    json = parsed !== null && typeof parsed === 'object' ? { ...parsed } : {};
  } catch {
    // Not JSON: the text says it all.
  }
  return { status, headers, text: body, json };
}
