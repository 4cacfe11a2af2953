import type { Duplex } from 'node:stream';
import { newId, Problem, toProblemJson } from '#kit/index.ts';

const refusals: Record<string, { status: string; problem: Problem }> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    problem: new Problem('too_large', { detail: 'The request headers are larger than 16 KiB.' }),
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    problem: new Problem('invalid_input', { detail: 'The request did not arrive in time.' }),
  },
};

const malformed = {
  status: '400 Bad Request',
  problem: new Problem('invalid_input', { detail: 'This is not a valid HTTP request.' }),
};

/** Answers what Node's HTTP parser refused, before there is a request to answer. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, problem } = refusals[error.code ?? ''] ?? malformed;
  const body = JSON.stringify({
    ...toProblemJson(problem, { requestId: newId() }),
    status: Number(status.slice(0, 3)),
  });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}
