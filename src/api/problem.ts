import type { Context } from 'hono';
import { Problem, problemKinds, toProblemJson, type Log } from '#kit/index.ts';
import { isOpenaiPath, toOpenaiError } from './openai/to-openai-error.ts';
import { messagePage } from './pages/message-page.ts';
import type { Env } from './request-context.ts';

const DATA_PATH = /^\/(api|v1|sandbox|healthz|readyz|metrics)(\/|$)/;

interface ProblemContext {
  requestId: string;
  /** Present where a payment took part: did money move? */
  charged?: boolean;
  /** Of the HTTP answer, where it is not the one of the code. */
  status?: number;
  /** Further members of the body, or other values for those that every problem has. */
  more?: Readonly<Record<string, unknown>>;
  /** As whom the client speaks to expects it; problem+json unless told. */
  form?: 'problem' | 'openai';
}

interface ProblemAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Any error as an HTTP answer: the one place that knows which headers and which body a problem has. */
export function toProblemAnswer(error: unknown, { status, more, form, ...context }: ProblemContext): ProblemAnswer {
  const json: Record<string, unknown> = {
    ...toProblemJson(error, context),
    ...more,
    ...(status === undefined ? {} : { status }),
  };
  const body = JSON.stringify(form === 'openai' ? { error: toOpenaiError(json) } : json);
  return {
    status: Number(json['status']),
    headers: {
      ...toOwnHeaders(error),
      'Cache-Control': 'no-store',
      'Content-Type': form === 'openai' ? 'application/json' : 'application/problem+json',
      'Content-Length': String(Buffer.byteLength(body)),
      'X-Request-Id': context.requestId,
    },
    body,
  };
}

function toOwnHeaders(error: unknown): Record<string, string> {
  if (!(error instanceof Problem)) {
    return {};
  }
  const isChallenged = Object.keys(error.headers).some((name) => name.toLowerCase() === 'www-authenticate');
  const challenge = error.code === 'unauthenticated' && !isChallenged;
  return { ...error.headers, ...(challenge ? { 'WWW-Authenticate': 'Bearer realm="farebox"' } : {}) };
}

/** The one way an error leaves the management API: problem+json, or a page where a browser asked for a page. */
export function answerProblem(c: Context<Env>, error: unknown, log: Log): Response | Promise<Response> {
  const requestId = c.get('requestId') ?? 'unknown';
  const problem = error instanceof Problem ? error : hideError(error, requestId, log);
  const form = isOpenaiPath(new URL(c.req.url).pathname) ? 'openai' : 'problem';
  const { status, headers, body } = toProblemAnswer(problem, { requestId, form });
  for (const [name, value] of Object.entries(headers)) {
    c.header(name, value);
  }
  if (isPageRequest(c)) {
    c.header('Content-Length', undefined);
    const page = messagePage({ title: problemKinds[problem.code].title, problem, requestId });
    return c.html(page, status as 400);
  }
  return c.body(body, status as 400);
}

function hideError(error: unknown, requestId: string, log: Log): Problem {
  log.error({ err: error, requestId }, 'a request failed unexpectedly');
  return new Problem('internal', { detail: 'The server met an unexpected error.', cause: error });
}

function isPageRequest(c: Context<Env>): boolean {
  const wantsHtml = (c.req.header('accept') ?? '').includes('text/html');
  return wantsHtml && !DATA_PATH.test(new URL(c.req.url).pathname);
}
