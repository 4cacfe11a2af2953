import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallOutcome } from '#gateway/index.ts';
import { readPrefer } from './read-prefer.ts';
import { paidAnswer } from './write-answer.ts';

interface Written {
  req: IncomingMessage;
  res: ServerResponse;
  headers: Readonly<Record<string, string>>;
}

/** 202: where the call stands can be read, and, once, with which secrets. @returns the status. */
export function writeAccepted(
  { status, secrets, answerToken }: CallOutcome & { kind: 'accepted' },
  { req, res, headers }: Written,
): number {
  const { isAsked } = readPrefer(req);
  const told = { ...status, ...secrets, ...(answerToken === undefined ? {} : { answerToken }) };
  return writeStatus(res, 202, {
    body: told,
    headers: {
      ...headers,
      Location: status.statusUrl,
      ...toRetryAfter(status),
      ...(isAsked ? { 'Preference-Applied': 'respond-async' } : {}),
      Vary: paidAnswer.Vary,
    },
  });
}

export function toRetryAfter({ retryAfterSeconds }: { retryAfterSeconds: number | null }): Record<string, string> {
  return retryAfterSeconds === null ? {} : { 'Retry-After': String(retryAfterSeconds) };
}

export function writeStatus(
  res: ServerResponse,
  status: number,
  { body, headers }: { body: object; headers: Readonly<Record<string, string>> },
): number {
  const bytes = Buffer.from(JSON.stringify(body));
  const own = {
    'Cache-Control': 'private, no-store',
    'Content-Type': 'application/json',
    'Content-Length': bytes.length,
  };
  res.writeHead(status, { ...headers, ...own }).end(bytes);
  return status;
}
