import type { Dispatcher } from 'undici';
import { Problem } from '#kit/index.ts';
import { discard, readBytes, TooLargeError } from '../read-body.ts';
import type { Outbound } from './open-outbound.ts';

export interface FileLimits {
  maxBytes: number;
  /** For everything: names, connections, redirects and the body. */
  timeoutMs: number;
}

/** Why there is no file, in words for whoever named the URL; they never repeat it. */
export type FetchedFile = { ok: true; bytes: Buffer } | { ok: false; reason: string };

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Reads a file from a URL that a stranger named: one GET, with no header of anybody and no cookie, and each redirect is
 * judged as the first URL was. Nothing is unpacked. Never throws for what the other side does.
 */
export async function fetchFile(
  outbound: Pick<Outbound, 'open'>,
  url: string,
  { maxBytes, timeoutMs }: FileLimits,
): Promise<FetchedFile> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    let next = url;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const target = outbound.open(next);
      const response = await request(target, signal);
      const location = REDIRECTS.has(response.statusCode) ? header(response, 'location') : null;
      if (location === null) {
        return await readFile(response, maxBytes);
      }
      discard(response.body);
      next = URL.canParse(location, target.url.href) ? new URL(location, target.url).href : '';
    }
    return { ok: false, reason: `it redirects more than ${MAX_REDIRECTS} times` };
  } catch (error) {
    return { ok: false, reason: toReason(error, signal, { maxBytes, timeoutMs }) };
  }
}

function request(
  { url, dispatcher }: ReturnType<Outbound['open']>,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  return dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'GET',
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'Farebox' },
    signal,
    // The signal limits all of it, also what comes a byte at a time.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

async function readFile(response: Dispatcher.ResponseData, maxBytes: number): Promise<FetchedFile> {
  const { statusCode, body } = response;
  const encoding = header(response, 'content-encoding');
  const announced = Number(header(response, 'content-length') ?? 0);
  const refusal =
    statusCode !== 200
      ? `its server answered with status ${statusCode}`
      : encoding !== null && encoding !== 'identity'
        ? 'its server sends it packed'
        : announced > maxBytes
          ? `it has ${announced} bytes, and at most ${maxBytes} are read`
          : null;
  if (refusal !== null) {
    discard(body);
    return { ok: false, reason: refusal };
  }
  const bytes = await readBytes(body, maxBytes);
  return bytes.length === 0 ? { ok: false, reason: 'it is empty' } : { ok: true, bytes };
}

function toReason(error: unknown, signal: AbortSignal, { maxBytes, timeoutMs }: FileLimits): string {
  if (error instanceof TooLargeError) {
    return `it has more than ${maxBytes} bytes`;
  }
  if (error instanceof Problem) {
    return `its address is not allowed: ${error.message}`;
  }
  return signal.aborted ? `it did not come within ${timeoutMs / 1000} seconds` : 'its server cannot be reached';
}

function header({ headers }: Dispatcher.ResponseData, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
