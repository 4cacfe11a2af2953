import type { Context } from 'hono';
import type { z } from 'zod';
import { Problem, problemKinds, toFieldProblems, toProblemJson } from '#kit/index.ts';
import { messagePage } from './pages/message-page.ts';
import type { Env } from './request-context.ts';
import type { Log } from './server-options.ts';

const DATA_PATH = /^\/(api|sandbox|healthz|readyz|metrics)(\/|$)/;

/** The one way an error leaves: problem+json, or a page where a browser asked for a page. */
export function answerProblem(c: Context<Env>, error: unknown, log: Log): Response | Promise<Response> {
  const requestId = c.get('requestId') ?? 'unknown';
  const problem = error instanceof Problem ? error : hideError(error, requestId, log);
  for (const [name, value] of Object.entries(problem.headers)) {
    c.header(name, value);
  }
  if (problem.code === 'unauthenticated') {
    c.header('WWW-Authenticate', 'Bearer realm="farebox"');
  }
  c.header('Cache-Control', 'no-store');
  if (isPageRequest(c)) {
    const page = messagePage({ title: problemKinds[problem.code].title, problem, requestId });
    return c.html(page, problem.status as 400);
  }
  c.header('Content-Type', 'application/problem+json');
  return c.body(JSON.stringify(toProblemJson(problem, { requestId })), problem.status as 400);
}

function hideError(error: unknown, requestId: string, log: Log): Problem {
  log.error({ err: error, requestId }, 'a request failed unexpectedly');
  return new Problem('internal', { detail: 'The server met an unexpected error.', cause: error });
}

function isPageRequest(c: Context<Env>): boolean {
  const wantsHtml = (c.req.header('accept') ?? '').includes('text/html');
  return wantsHtml && !DATA_PATH.test(new URL(c.req.url).pathname);
}

/** zod's findings as one problem; names the places, never the values. */
export function toInvalidInput(error: z.ZodError): Problem {
  const fields = toFieldProblems(error).slice(0, 50);
  const first = fields[0];
  const place = first && first.path !== '' ? first.path : 'The request';
  const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : '';
  return new Problem('invalid_input', {
    detail: first ? `${place}: ${first.message.replace(/\.$/, '')}${more}.` : 'The request does not fit its schema.',
    fields,
  });
}
