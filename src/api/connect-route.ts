import { callOperation, Problem, type Caller, type ProblemCode } from '#kit/index.ts';
import { answerText } from './answer-json.ts';
import type { Route } from './mount-routes.ts';
import { toSource } from './operation-routes.ts';
import { connectionPage, isConnectOutcome, type ConnectOutcome } from './pages/connection-page.ts';
import type { AppContext } from './request-context.ts';
import type { AppOptions } from './server-options.ts';

/** Which refusal leads to which page; every other one means that something went wrong on the way. */
const outcomes: Partial<Record<ProblemCode, ConnectOutcome>> = {
  unauthenticated: 'signed-out',
  gone: 'ended',
  invalid_input: 'ended',
  unprocessable: 'refused',
};

type Connect = NonNullable<AppOptions['connect']>;

/**
 * The way back from the consent page of OpenRouter, and the pages that say how it ended. A browser comes with GET, from
 * another site: what it may do is bound to the state, which only the account that began can use, once. Then it is sent on,
 * so that the code stands in no history.
 */
export function connectRoutes(options: AppOptions, { callbackPath, operation }: Connect): Route[] {
  return [
    {
      method: 'GET',
      pattern: callbackPath,
      handle: async (c) => {
        // A look ahead must use nothing up.
        const outcome = c.req.method === 'HEAD' ? 'ended' : await finish(options, operation, c);
        c.header('Location', `/connections/openrouter/${outcome}`);
        return c.body(null, 303);
      },
    },
    {
      method: 'GET',
      pattern: '/connections/openrouter/:outcome',
      handle: async (c) => {
        const outcome = c.req.param('outcome') ?? '';
        if (!isConnectOutcome(outcome)) {
          throw new Problem('not_found', { detail: 'Nothing is served at this path.' });
        }
        c.header('Content-Type', 'text/html; charset=utf-8');
        const body = await connectionPage(outcome, options.sandbox !== undefined);
        return answerText(c, { body, cacheControl: 'no-store' });
      },
    },
  ];
}

async function finish(options: AppOptions, operation: Connect['operation'], c: AppContext): Promise<ConnectOutcome> {
  const code = c.req.query('code');
  try {
    await callOperation(options.ports, operation, {
      caller: (): Promise<Caller> => options.authenticate(c.req.raw.headers),
      input: { state: c.req.query('state') ?? '', ...(code === undefined ? {} : { code }) },
      source: toSource(c),
    });
    return 'connected';
  } catch (error) {
    if (!(error instanceof Problem)) {
      options.log.error({ err: error, requestId: c.get('requestId') }, 'a connection could not be finished');
    }
    const outcome = (error instanceof Problem ? outcomes[error.code] : undefined) ?? 'failed';
    return outcome === 'refused' && code === undefined ? 'denied' : outcome;
  }
}
