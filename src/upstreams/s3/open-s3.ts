import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Pool, type Dispatcher } from 'undici';
import { newId, Problem, sha256Hex } from '#kit/index.ts';
import { sendSigned, type S3Request } from './send-signed.ts';
import { parseListing, type ListedObject } from './parse-listing.ts';

export interface S3Options {
  /** Of the service, without a path. */
  endpoint: string;
  bucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** The bucket stands in the path (`https://host/bucket/key`) instead of in the name of the host. */
  pathStyle: boolean;
}

interface ByteRange {
  start: number;
  end: number;
}

/** One bucket of a service that speaks the S3 API. Keys are sent as they are: letters, digits, `-`, `/`. */
export interface S3 {
  /** The service refuses what does not have the SHA-256 (hexadecimal) that is told. */
  put(key: string, file: { path: string; sizeBytes: number; sha256: string }): Promise<void>;
  head(key: string): Promise<{ sizeBytes: number } | null>;
  /**
   * `range`: offsets of bytes, both included. `totalBytes` is of the whole object. A `client` may read slowly, and has
   * connections of its own; throws `unavailable` when they are all in use.
   */
  get(key: string, range?: ByteRange, reader?: 'client'): Promise<{ totalBytes: number; stream: Readable } | null>;
  /** No error when there is nothing. */
  remove(key: string): Promise<void>;
  /** In ascending order of the keys' bytes, up to a thousand a page. */
  list(prefix: string): AsyncGenerator<ListedObject[]>;
  /** Writes, reads, lists and removes a small object. Throws what is wrong. */
  check(): Promise<void>;
  close(): Promise<void>;
}

const HEADERS_WITHIN_MS = 20_000;
const MOST_CLIENTS = 128;
/** A large object is stored before the service answers. */
const STORED_WITHIN_MS = 300_000;

/** Throws errors that name status and code of the service, never a key or a content. Failures that may pass are tried again. */
export function openS3(options: S3Options): S3 {
  const base = toBase(options);
  const openPool = (connections: number) =>
    new Pool(base.origin, {
      connections,
      connect: { timeout: 5_000 },
      headersTimeout: HEADERS_WITHIN_MS,
      bodyTimeout: 30_000,
    });
  const pool = openPool(32);
  // Whoever reads slowly holds a connection, which nothing else may wait for.
  const clients = openPool(MOST_CLIENTS);
  let reading = 0;
  const send = (request: S3Request): Promise<Dispatcher.ResponseData> =>
    sendSigned({ ...options, pool, base }, request);
  const sendForClient = async (request: S3Request): Promise<Dispatcher.ResponseData> => {
    if (reading >= MOST_CLIENTS) {
      throw new Problem('unavailable', {
        detail: 'Too many files are being read at the moment.',
        headers: { 'Retry-After': '10' },
      });
    }
    reading += 1;
    const isOver = (): void => void (reading -= 1);
    const answer = await sendSigned({ ...options, pool: clients, base }, request).catch((error: unknown) => {
      isOver();
      throw error;
    });
    answer.body.once('close', isOver);
    return answer;
  };
  const s3: S3 = {
    put: async (key, { path, sizeBytes, sha256 }) => {
      const headers = { 'content-length': String(sizeBytes), 'x-amz-content-sha256': sha256 };
      const body = () => createReadStream(path);
      const answer = await send({ method: 'PUT', key, headers, body, headersWithinMs: STORED_WITHIN_MS });
      await answer.body.dump();
    },
    head: async (key) => {
      const answer = await send({ method: 'HEAD', key, missing: 'expected' });
      await answer.body.dump();
      return answer.statusCode === 404 ? null : { sizeBytes: Number(answer.headers['content-length']) };
    },
    get: async (key, range, reader) => {
      const headers: Record<string, string> = range ? { range: `bytes=${range.start}-${range.end}` } : {};
      const get = { method: 'GET', key, headers, missing: 'expected' } as const;
      const answer = await (reader === 'client' ? sendForClient(get) : send(get));
      if (answer.statusCode === 404) {
        await answer.body.dump();
        return null;
      }
      assertRange(answer, range);
      return { totalBytes: toTotal(answer), stream: answer.body };
    },
    remove: async (key) => {
      const answer = await send({ method: 'DELETE', key, missing: 'expected' });
      await answer.body.dump();
    },
    list: async function* (prefix) {
      let query: Record<string, string> | null = { 'list-type': '2', prefix };
      while (query) {
        const answer: Dispatcher.ResponseData = await send({ method: 'GET', key: '', query });
        const { objects, next } = parseListing(await answer.body.text());
        if (objects.length > 0) {
          yield objects;
        }
        query = next === null ? null : { 'list-type': '2', prefix, 'continuation-token': next };
      }
    },
    check: () => check(s3, send),
    // Not gracefully: whoever still reads is a client of a server that has stopped.
    close: async () => {
      await Promise.all([pool.destroy(), clients.destroy()]);
    },
  };
  return s3;
}

async function check(s3: S3, send: (request: S3Request) => Promise<Dispatcher.ResponseData>): Promise<void> {
  const key = `farebox-check/${newId()}`;
  const text = 'farebox';
  const headers = { 'content-length': String(text.length), 'x-amz-content-sha256': sha256Hex(text) };
  const written = await send({ method: 'PUT', key, headers, body: () => Readable.from([Buffer.from(text)]) });
  await written.body.dump();
  try {
    const read = await s3.get(key);
    const found = read && (await buffer(read.stream));
    const listed = await s3.list(key).next();
    if (found?.toString() !== text || listed.done || listed.value[0]?.key !== key) {
      throw new Error('what was written is not read again');
    }
  } finally {
    await s3.remove(key);
  }
}

function toBase({ endpoint, bucket, pathStyle }: S3Options): URL {
  const base = new URL(endpoint);
  if (pathStyle) {
    base.pathname = `/${bucket}/`;
  } else {
    base.hostname = `${bucket}.${base.hostname}`;
    base.pathname = '/';
  }
  return base;
}

/** A service that answers another range than was asked for would have its bytes passed on under the wrong headers. */
function assertRange({ statusCode, headers, body }: Dispatcher.ResponseData, range: ByteRange | undefined): void {
  const told = String(headers['content-range'] ?? '');
  if (range && !(statusCode === 206 && told.startsWith(`bytes ${range.start}-${range.end}/`))) {
    body.destroy();
    throw new Error('The object store answered another range than was asked for');
  }
}

function toTotal({ headers }: Dispatcher.ResponseData): number {
  const total = /\/(\d+)$/.exec(String(headers['content-range'] ?? ''))?.[1];
  return Number(total ?? headers['content-length']);
}
