import { sha256Hex } from '#kit/index.ts';
import type { AppContext } from './request-context.ts';

interface JsonAnswer {
  body: unknown;
  status?: number;
  /** Given for answers to GET: the body gets an ETag and may be kept as this says. */
  cacheControl?: string;
}

/** JSON with a validator: a reader who has the same bytes gets 304. */
export function answerJson(c: AppContext, answer: JsonAnswer): Response {
  if (answer.status === 204) {
    return c.body(null, 204);
  }
  c.header('Content-Type', 'application/json');
  return answerText(c, { ...answer, body: JSON.stringify(answer.body) });
}

/** The same for text whose Content-Type is set already. */
export function answerText(c: AppContext, answer: JsonAnswer & { body: string }): Response {
  if (answer.cacheControl !== undefined) {
    const etag = `"${sha256Hex(answer.body).slice(0, 32)}"`;
    c.header('ETag', etag);
    c.header('Cache-Control', answer.cacheControl);
    if (isKnown(c.req.header('if-none-match'), etag)) {
      c.header('Content-Type', undefined);
      return c.body(null, 304);
    }
  }
  return c.body(answer.body, (answer.status ?? 200) as 200);
}

function isKnown(header: string | undefined, etag: string): boolean {
  if (header === undefined) {
    return false;
  }
  return header.split(',').some((candidate) => {
    const tag = candidate.trim().replace(/^W\//, '');
    return tag === '*' || tag === etag;
  });
}
