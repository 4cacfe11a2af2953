import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { Problem } from '#kit/index.ts';
import { discard } from '../read-body.ts';
import type { Outbound } from './open-outbound.ts';

interface FileRequest {
  url: string;
  /** Ends everything: names, connections, redirects and the body. */
  signal: AbortSignal;
  maxBytes?: number;
}

/** Why there is no file, in words for whoever named the URL; they never repeat it. */
export type OpenedFile = { ok: true; body: Readable } | { ok: false; reason: string };

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Opens a file at a URL that a stranger or an upstream named: one GET, with no header of anybody and no cookie, and each
 * redirect is judged as the first URL was. Nothing is unpacked. Rejects where the connection breaks or `signal` ends it; so
 * may the body, which its reader counts.
 */
export async function openFile(
  outbound: Pick<Outbound, 'open'>,
  { url, signal, maxBytes = Number.POSITIVE_INFINITY }: FileRequest,
): Promise<OpenedFile> {
  let next = url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const target = openUrl(outbound, next);
    if ('reason' in target) {
      return { ok: false, reason: target.reason };
    }
    const response = await request(target, signal);
    const location = REDIRECTS.has(response.statusCode) ? header(response, 'location') : null;
    if (location === null) {
      return toOpened(response, maxBytes);
    }
    discard(response.body);
    next = URL.canParse(location, target.url.href) ? new URL(location, target.url).href : '';
  }
  return { ok: false, reason: `it redirects more than ${MAX_REDIRECTS} times` };
}

function openUrl(outbound: Pick<Outbound, 'open'>, url: string): ReturnType<Outbound['open']> | { reason: string } {
  try {
    return outbound.open(url);
  } catch (error) {
    if (error instanceof Problem) {
      return { reason: `its address is not allowed: ${error.message}` };
    }
    throw error;
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

function toOpened(response: Dispatcher.ResponseData, maxBytes: number): OpenedFile {
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
  if (refusal === null) {
    return { ok: true, body };
  }
  discard(body);
  return { ok: false, reason: refusal };
}

function header({ headers }: Dispatcher.ResponseData, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
