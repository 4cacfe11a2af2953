import type { Readable } from 'node:stream';
import { Problem } from '#kit/index.ts';
import { discard, readBytes, TooLargeError } from '../read-body.ts';
import type { Outbound } from './open-outbound.ts';

const MAX_REDIRECTS = 3;

interface FileRequest {
  url: string;
  signal: AbortSignal;
}

/**
 * Opens a file at an address that an upstream named: no credentials are sent, each redirect is checked like the first
 * address. Null where it may not be called or does not answer with success; rejects when the connection breaks.
 */
export async function openPublicFile(
  outbound: Pick<Outbound, 'open'>,
  { url, signal }: FileRequest,
): Promise<Readable | null> {
  let next = url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const target = openUrl(outbound, next);
    if (target === null) {
      return null;
    }
    const response = await target.dispatcher.request({
      origin: target.url.origin,
      path: target.url.pathname + target.url.search,
      method: 'GET',
      signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const { location } = response.headers;
    if (response.statusCode === 200) {
      return response.body;
    }
    discard(response.body);
    if (response.statusCode < 300 || response.statusCode > 399 || typeof location !== 'string') {
      return null;
    }
    if (!URL.canParse(location, target.url.href)) {
      return null;
    }
    next = new URL(location, target.url.href).href;
  }
  return null;
}

/** The same, read whole; null too where it is larger. */
export async function readPublicFile(
  outbound: Pick<Outbound, 'open'>,
  { maxBytes, ...request }: FileRequest & { maxBytes: number },
): Promise<Buffer | null> {
  const body = await openPublicFile(outbound, request);
  if (body === null) {
    return null;
  }
  return readBytes(body, maxBytes).catch((error: unknown) => {
    if (error instanceof TooLargeError) {
      return null;
    }
    throw error;
  });
}

function openUrl(outbound: Pick<Outbound, 'open'>, url: string): ReturnType<Outbound['open']> | null {
  try {
    return outbound.open(url);
  } catch (error) {
    if (error instanceof Problem) {
      return null;
    }
    throw error;
  }
}
