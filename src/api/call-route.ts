import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseUuid, newId, Problem, type Log } from '#kit/index.ts';
import type { CallOutcome, CallStatus, Gateway } from '#gateway/index.ts';
import { SIGN_IN_HEADER } from '#payments/index.ts';
import { openEventStream } from './event-stream.ts';
import { answerPreflight, readClientAddress, readHeader, sharedHeaders, toSettlementHeaders } from './call-exchange.ts';
import { toProblemAnswer } from './problem.ts';
import { readPrefer } from './read-prefer.ts';
import { ANSWER_TOKEN_HEADER, writeAnswer } from './write-answer.ts';
import { toRetryAfter, writeAccepted, writeStatus } from './write-status.ts';

interface CallRouteDeps {
  gateway: Pick<Gateway, 'long' | 'markDelivered'>;
  /** How many proxies in front append to X-Forwarded-For. */
  trustedProxyHops: number;
  log: Log;
}

const path = /^\/api\/calls\/([^/?]+)(\/result|\/cancel)?\/?(?:\?.*)?$/i;

interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  requestId: string;
  callId: string;
  part: string;
  /** Aborts when the client has gone. */
  gone: AbortSignal;
}

type Handle = (deps: CallRouteDeps, exchange: Exchange) => Promise<number>;

/** By what follows the id in the path. */
const parts: Record<string, Record<string, Handle>> = {
  '': { GET: tellStatus, DELETE: cancel },
  '/result': { GET: tellResult },
  '/cancel': { POST: cancel },
};

const readHeaders = `Authorization, ${ANSWER_TOKEN_HEADER}, ${SIGN_IN_HEADER}, Prefer, Last-Event-ID`;

/** Calls that are carried out behind their 202, for their buyers: `/api/calls/{id}`. `false`: the path is another one. */
export function callRoute(deps: CallRouteDeps): (req: IncomingMessage, res: ServerResponse) => boolean {
  return (req, res) => {
    const [, id = '', part = ''] = path.exec(req.url ?? '') ?? [];
    const callId = parseUuid(id);
    const served = parts[part];
    if (callId === null || !served) {
      return false;
    }
    const left = new AbortController();
    res.once('close', () => left.abort());
    const exchange = { req, res, requestId: newId(), callId, part, gone: left.signal };
    void answer(deps, served, exchange);
    return true;
  };
}

async function answer(deps: CallRouteDeps, served: Record<string, Handle>, exchange: Exchange): Promise<void> {
  const { req, res, requestId, part } = exchange;
  const startedAt = performance.now();
  req.resume();
  let status: number;
  try {
    status = await dispatch(deps, served, exchange);
  } catch (error) {
    status = writeProblem(deps, exchange, error);
  }
  const ms = Math.round(performance.now() - startedAt);
  const { method } = req;
  deps.log.debug({ requestId, method, pattern: `/api/calls/:id${part}`, status, ms }, 'request');
  if (!res.headersSent) {
    res.destroy();
  }
}

function dispatch(deps: CallRouteDeps, served: Record<string, Handle>, exchange: Exchange): Promise<number> | number {
  const { req, res } = exchange;
  const { method = 'GET' } = req;
  const allow = [...Object.keys(served), ...('GET' in served ? ['HEAD'] : []), 'OPTIONS'].toSorted().join(', ');
  if (method === 'OPTIONS') {
    res.setHeader('Allow', allow);
    answerPreflight({ req, res }, { methods: [allow], readHeaders });
    return 204;
  }
  const handle = served[method === 'HEAD' ? 'GET' : method];
  if (!handle) {
    throw new Problem('method_not_allowed', {
      detail: `${method.slice(0, 20)} is not served here; ${allow} are.`,
      headers: { Allow: allow },
    });
  }
  return handle(deps, exchange);
}

async function tellStatus(deps: CallRouteDeps, exchange: Exchange): Promise<number> {
  const { req, res, callId, gone } = exchange;
  await assertBuyer(deps, exchange);
  if (req.method !== 'HEAD' && readHeader(req, 'accept')?.includes('text/event-stream')) {
    return streamStatus(deps, exchange);
  }
  const { waitMs } = readPrefer(req);
  const status = await deps.gateway.long.getStatus(callId, { waitMs, gone });
  const applied: Record<string, string> = waitMs > 0 ? { 'Preference-Applied': `wait=${waitMs / 1000}` } : {};
  return writeStatus(res, 200, {
    body: status,
    headers: { ...toHeaders(exchange), ...toRetryAfter(status), ...applied },
  });
}

async function tellResult(deps: CallRouteDeps, exchange: Exchange): Promise<number> {
  const { req, res, requestId, callId, gone } = exchange;
  await assertBuyer(deps, exchange);
  const { waitMs } = readPrefer(req);
  const outcome = await deps.gateway.long.giveResult(callId, { waitMs, gone });
  const headers = { ...toHeaders(exchange), ...toSettlementHeaders(outcome) };
  switch (outcome.kind) {
    case 'accepted':
      return writeAccepted(outcome, { req, res, headers });
    case 'answer': {
      const isRead = outcome.isPaid && req.method !== 'HEAD';
      const onSent = isRead ? () => deps.gateway.markDelivered(outcome.callId) : () => {};
      const onFault = (err: unknown): void => deps.log.error({ err, requestId, callId }, 'an answer broke off');
      return writeAnswer(outcome, { res, requestId, headers, onSent, onFault });
    }
    case 'problem':
      return writeEnded(exchange, outcome, headers);
    default:
      throw new Error('The result of a call is no challenge.');
  }
}

async function cancel(deps: CallRouteDeps, exchange: Exchange): Promise<number> {
  await assertBuyer(deps, exchange);
  const outcome = await deps.gateway.long.cancel(exchange.callId);
  switch (outcome.kind) {
    case 'accepted':
      return writeStatus(exchange.res, 200, { body: outcome.status, headers: toHeaders(exchange) });
    case 'problem':
      return writeEnded(exchange, outcome, toHeaders(exchange));
    default:
      throw new Error('Cancelling gives no answer.');
  }
}

/** Why there is no answer, or none any more. */
function writeEnded(
  { res, requestId }: Exchange,
  { problem, charged, receipt }: CallOutcome & { kind: 'problem' },
  headers: Readonly<Record<string, string>>,
): number {
  const told = { requestId, ...(charged === undefined ? {} : { charged }), ...(receipt ? { more: { receipt } } : {}) };
  const { status, headers: own, body } = toProblemAnswer(problem, told);
  res.writeHead(status, { ...headers, ...own }).end(body);
  return status;
}

/** `state`, `progress` and `receipt` as they change, an end behind what led to it; then `done` with how it ended. */
async function streamStatus(deps: CallRouteDeps, exchange: Exchange): Promise<number> {
  const { res, callId, gone } = exchange;
  const changes = deps.gateway.long.follow(callId, gone);
  const first = await changes.next();
  const stream = openEventStream(res, {
    status: 200,
    headers: { ...toHeaders(exchange), 'Cache-Control': 'private, no-store' },
  });
  try {
    let before: CallStatus | null = null;
    for (let next = first; !next.done; next = await changes.next()) {
      const now = next.value;
      for (const event of toEvents(before, now)) {
        await stream.send(event);
      }
      before = now;
    }
    stream.end();
  } catch (error) {
    if (!gone.aborted) {
      deps.log.error({ err: error, callId }, 'the stream of a call broke off');
      res.destroy();
    }
  } finally {
    await changes.return();
  }
  return 200;
}

function toEvents(before: CallStatus | null, now: CallStatus): { event: string; data: object }[] {
  const isNew = (name: 'state' | 'progress' | 'receipt'): boolean =>
    JSON.stringify(before?.[name] ?? null) !== JSON.stringify(now[name]);
  const state = isNew('state') ? [{ event: 'state', data: { state: now.state, at: now.updatedAt } }] : [];
  const others = [
    ...(now.progress && isNew('progress') ? [{ event: 'progress', data: now.progress }] : []),
    ...(now.receipt && isNew('receipt') ? [{ event: 'receipt', data: now.receipt }] : []),
  ];
  return now.retryAfterSeconds === null ? [...others, ...state, { event: 'done', data: now }] : [...state, ...others];
}

function assertBuyer(deps: CallRouteDeps, { req, callId }: Exchange): Promise<void> {
  return deps.gateway.long.assertBuyer(callId, {
    statusToken: /^Bearer ([\w.~+/-]{1,200}=*)$/i.exec(readHeader(req, 'authorization') ?? '')?.[1],
    answerToken: readHeader(req, ANSWER_TOKEN_HEADER.toLowerCase()),
    signIn: readHeader(req, SIGN_IN_HEADER.toLowerCase()),
    clientAddress: readClientAddress(req, deps.trustedProxyHops),
  });
}

function toHeaders({ requestId }: Exchange): Record<string, string> {
  return { ...sharedHeaders, 'X-Request-Id': requestId };
}

function writeProblem(deps: CallRouteDeps, { res, requestId, callId }: Exchange, error: unknown): number {
  if (!(error instanceof Problem)) {
    deps.log.error({ err: error, requestId }, 'a request about a call failed unexpectedly');
  }
  const isUnproven = error instanceof Problem && error.code === 'unauthenticated';
  const more = isUnproven ? { more: { extensions: deps.gateway.long.declareSignIn(callId) } } : {};
  const { status, headers, body } = toProblemAnswer(error, { requestId, ...more });
  if (res.headersSent) {
    res.destroy();
    return status;
  }
  res.writeHead(status, { ...sharedHeaders, ...headers }).end(body);
  return status;
}
