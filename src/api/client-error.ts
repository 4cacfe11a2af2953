import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { newId, Problem } from '#kit/index.ts';
import { toProblemAnswer } from './problem.ts';

const refusals: Record<string, { status: number; problem: Problem }> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    problem: new Problem('too_large', { detail: 'The request headers are larger than 16 KiB.' }),
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    problem: new Problem('invalid_input', { detail: 'The request did not arrive in time.' }),
  },
};

const malformed = {
  status: 400,
  problem: new Problem('invalid_input', { detail: 'This is not a valid HTTP request.' }),
};

/** Answers what Node's HTTP parser refused, before there is a request to answer. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, problem } = refusals[error.code ?? ''] ?? malformed;
  const { headers, body } = toProblemAnswer(problem, { requestId: newId(), status });
  const lines = Object.entries({ ...headers, 'Access-Control-Allow-Origin': '*', Connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
}
