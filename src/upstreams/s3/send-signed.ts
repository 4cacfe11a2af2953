import { setTimeout as delay } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { AwsV4Signer } from 'aws4fetch';
import type { Dispatcher, Pool } from 'undici';
import { sha256Hex } from '#kit/index.ts';

interface Signed {
  pool: Pool;
  /** Of the bucket. */
  base: URL;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

export interface S3Request {
  method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  key: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  /** Made anew for each attempt. */
  body?: () => Readable;
  /** A 404 is an answer, not a failure. */
  missing?: 'expected';
  headersWithinMs?: number;
}

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 100;
/** For a connection, a place in the queue included, and for what is not told to take longer. */
const WAIT_MS = 25_000;
const EMPTY = sha256Hex('');

/** The answer, its body unread. Connections that break, 429 and 5xx are tried again with growing pauses. */
export async function sendSigned(to: Signed, request: S3Request): Promise<Dispatcher.ResponseData> {
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt === ATTEMPTS;
    const answer = await attemptOnce(to, request).catch((error: unknown) => {
      if (isLast) {
        throw new Error(`The object store cannot be reached: ${toReason(error)}`, { cause: error });
      }
      return null;
    });
    if (answer && (answer.statusCode < 300 || (answer.statusCode === 404 && request.missing === 'expected'))) {
      return answer;
    }
    const mayPass = !answer || answer.statusCode === 429 || answer.statusCode >= 500;
    if (answer && (isLast || !mayPass)) {
      throw await toFailure(request, answer);
    }
    await answer?.body.dump();
    await delay(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
  }
}

async function attemptOnce(to: Signed, request: S3Request): Promise<Dispatcher.ResponseData> {
  const { method, key, query, headers, body, headersWithinMs } = request;
  const url = new URL(key, to.base);
  url.search = new URLSearchParams(query).toString();
  const signer = new AwsV4Signer({
    method,
    url: url.href,
    headers: { 'x-amz-content-sha256': EMPTY, ...headers },
    service: 's3',
    region: to.region,
    accessKeyId: to.accessKeyId,
    secretAccessKey: to.secretAccessKey,
  });
  const signed = await signer.sign();
  const waiting = new AbortController();
  const limit = setTimeout(() => waiting.abort(), WAIT_MS + (headersWithinMs ?? 0));
  const answering = to.pool.request({
    method,
    path: signed.url.pathname + signed.url.search,
    headers: Object.fromEntries(signed.headers),
    ...(body ? { body: body() } : {}),
    ...(headersWithinMs === undefined ? {} : { headersTimeout: headersWithinMs }),
    signal: waiting.signal,
  });
  return answering.finally(() => clearTimeout(limit));
}

/** The code of the service's error document; its text may name keys. */
async function toFailure({ method }: S3Request, { statusCode, body }: Dispatcher.ResponseData): Promise<Error> {
  const text = (await body.text()).slice(0, 10_000);
  const code = /<Code>(\w{1,60})<\/Code>/.exec(text)?.[1];
  return new Error(`The object store answered ${method} with ${statusCode}${code === undefined ? '' : ` (${code})`}`);
}

function toReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
