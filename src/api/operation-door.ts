import { explainIssue, Problem, type BoundOperation, type Caller } from '#kit/index.ts';
import { answerJson } from './answer-json.ts';
import { assertOwnOrigin } from './cross-origin.ts';
import type { Route } from './mount-routes.ts';
import { toInvalidInput } from './problem.ts';
import { readInput } from './read-input.ts';
import type { AppContext } from './request-context.ts';
import type { AppOptions } from './server-options.ts';
import { takeUnit } from './take-unit.ts';

const ID_LIMIT = 64;
const SHARED = 'public, max-age=10';
const PRIVATE = 'private, no-cache';

/** One door for all operations: limit, authenticate, scope, origin, parse, run, audit, parse the output. */
export function operationRoutes(options: AppOptions, origins: ReadonlySet<string>): Route[] {
  return options.operations.map((operation) => {
    const [method = '', pattern = ''] = operation.route.split(' ');
    return { method, pattern, handle: (c) => serve({ options, origins, operation }, c) };
  });
}

interface Door {
  options: AppOptions;
  origins: ReadonlySet<string>;
  operation: BoundOperation;
}

async function serve({ options, origins, operation }: Door, c: AppContext): Promise<Response> {
  await takeUnit(c, options.limits?.api);
  const caller = await options.authenticate(c.req.raw.headers);
  assertSignedIn(operation, caller);
  if (operation.route.startsWith('GET ')) {
    const output = await run(operation, caller, c);
    const isShared = operation.scope === 'public' && caller.kind === 'anonymous';
    c.header('Vary', 'Authorization, Cookie', { append: true });
    return answerJson(c, { body: output, status: operation.status ?? 200, cacheControl: isShared ? SHARED : PRIVATE });
  }
  const note = (outcome: string, output?: unknown): Promise<void> =>
    options
      .recordAudit({ caller, operation: operation.name, ids: toIds(c, output), outcome, requestId: c.get('requestId') })
      .catch((error: unknown) => {
        options.log.error({ err: error, requestId: c.get('requestId') }, 'an audit row could not be written');
      });
  let output: unknown;
  try {
    assertOwnOrigin(c, caller, origins);
    output = await run(operation, caller, c);
  } catch (error) {
    await note(error instanceof Problem ? error.code : 'internal');
    throw error;
  }
  await note('ok', output);
  return answerJson(c, { body: output, status: operation.status ?? 200 });
}

async function run(operation: BoundOperation, caller: Caller, c: AppContext): Promise<unknown> {
  assertScope(operation, caller);
  const input = operation.input.safeParse(await readInput(c), { error: explainIssue });
  if (!input.success) {
    throw toInvalidInput(input.error);
  }
  const output = await operation.run(caller, input.data);
  return operation.output.parse(output);
}

type Rule = Pick<BoundOperation, 'scope'>;

/** Nobody signed in: 401. */
export function assertSignedIn({ scope }: Rule, caller: Caller): void {
  if (scope !== 'public' && caller.kind === 'anonymous') {
    throw new Problem('unauthenticated', { detail: 'This needs a signed-in user or an API key.' });
  }
}

/** Signed in without the right: 403, which names it. A session has every scope but `admin`. */
export function assertScope({ scope }: Rule, caller: Caller): void {
  if (scope === 'public' || caller.kind === 'anonymous') {
    return;
  }
  if (caller.via === 'api_key' && scope === 'session') {
    throw new Problem('forbidden', { detail: 'This needs a session: an API key may not do it.' });
  }
  if (caller.via === 'api_key' && scope !== 'session' && !caller.scopes.includes(scope)) {
    throw new Problem('forbidden', { detail: `This API key does not have the scope "${scope}".` });
  }
  if (scope === 'admin' && !caller.isAdmin) {
    throw new Problem('forbidden', { detail: 'This needs the right "admin": an administrator\'s account.' });
  }
}

/** What was touched: the path's parameters, and the id of what came out. */
function toIds(c: AppContext, output: unknown): Record<string, string> {
  const made = output !== null && typeof output === 'object' && 'id' in output ? output.id : undefined;
  const ids = { ...(typeof made === 'string' ? { id: made } : {}), ...(c.req.param() as Record<string, string>) };
  return Object.fromEntries(
    Object.entries(ids).map(([name, value]) => [name, value.slice(0, ID_LIMIT).toWellFormed()]),
  );
}
