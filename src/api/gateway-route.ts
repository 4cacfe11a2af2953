import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  newId,
  openByteBudget,
  parseResourcePath,
  Problem,
  toBatchUrl,
  toPinnedSlug,
  toResourcePath,
} from '#kit/index.ts';
import { CALLBACK_HEADER, PLAIN_BODY_BYTES, type CallOutcome, type CallRequest } from '#gateway/index.ts';
import { toChallengeAnswer, type Challenge } from '#payments/index.ts';
import {
  answerPreflight,
  type BoundedDeps,
  type CallExchange,
  isPaying,
  type PaidRouteDeps,
  readCallHeaders,
  readClientAddress,
  readHeader,
  sharedHeaders,
  toBuyerHeaders,
  toBuyerMembers,
  toThrown,
} from './call-exchange.ts';
import { openaiRoute } from './openai/openai-route.ts';
import { isVisit } from './open-resource-page.ts';
import { toProblemAnswer } from './problem.ts';
import { readEventsAsked } from './read-events-asked.ts';
import { readCallBody, readQuery } from './read-call-body.ts';
import { readExecute } from './read-execute.ts';
import { readPrefer } from './read-prefer.ts';
import { pageHeaders } from './security-headers.ts';
import { writeAnswer } from './write-answer.ts';
import { writeAccepted } from './write-status.ts';

const executePath = '/api/execute';

/** Those that the challenges name. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST']);

/**
 * The HTTP surface of the paid call: GET and POST of `/@creator/slug`, and `POST /api/execute`.
 * Sits on node:http in front of the management API. `false`: the path is not of the paid call.
 */
export function paidRoute(deps: PaidRouteDeps): (req: IncomingMessage, res: ServerResponse) => boolean {
  const bounded = { ...deps, largeBodies: openByteBudget(LARGE_BODIES) };
  const openai = openaiRoute(bounded);
  return (req, res) => {
    if (openai(req, res)) {
      return true;
    }
    const url = req.url ?? '/';
    const isExecute = url === executePath || url.startsWith(`${executePath}?`);
    if (!isExecute && !url.startsWith('/@') && !url.startsWith('/%40')) {
      return false;
    }
    const requestId = newId();
    if (req.method === 'OPTIONS') {
      answerPreflight({ req, res }, { methods });
      return true;
    }
    const path = isExecute ? null : parseResourcePath(url);
    const challenge =
      path && !path.isBatch && isServed(req) && isUnpaid(req) && !isVisit(req)
        ? deps.gateway.findChallenge(path)
        : null;
    if (challenge) {
      deps.observe('challenge');
      writeChallenge(challenge, { req, res, headers: { ...sharedHeaders, 'X-Request-Id': requestId } });
      return true;
    }
    void answer(bounded, { req, res, requestId, path, isExecute });
    return true;
  };
}

/** Bytes of large bodies in this process at a time. */
const LARGE_BODIES = { total: 192 * 1024 * 1024, perClient: 48 * 1024 * 1024 };

interface Exchange extends CallExchange {
  path: ReturnType<typeof parseResourcePath>;
  isExecute: boolean;
}

async function answer(deps: BoundedDeps, exchange: Exchange): Promise<void> {
  const { res, requestId } = exchange;
  const startedAt = performance.now();
  let status: number;
  let said = 'internal';
  try {
    const outcome = await deps.gateway.call(await readRequest(deps, exchange));
    said = outcome.kind === 'problem' ? outcome.problem.code : outcome.kind;
    const page = outcome.kind === 'challenge' ? await findPage(deps, exchange) : null;
    status = writeOutcome(deps, { ...exchange, page }, outcome);
  } catch (error) {
    said = error instanceof Problem ? error.code : said;
    if (!(error instanceof Problem)) {
      deps.log.error({ err: error, requestId }, 'the paid call failed unexpectedly');
    }
    const { error: thrown, ...told } = await toThrown(deps, exchange, error);
    status = writeProblem(res, thrown, { requestId, ...told });
  }
  const latencyMs = Math.round(performance.now() - startedAt);
  deps.observe(said, latencyMs / 1000);
  deps.log.info({ requestId, status, outcome: said, ...toNames(exchange.path), latencyMs }, 'call');
}

async function readRequest(deps: BoundedDeps, exchange: Exchange): Promise<CallRequest> {
  const { req, path, isExecute } = exchange;
  if (isExecute) {
    if (req.method !== 'POST') {
      throw new Problem('method_not_allowed', {
        detail: 'Call a resource by id with POST.',
        headers: { Allow: 'POST' },
      });
    }
  } else if (!path) {
    throw new Problem('not_found', {
      detail: 'Resources live at /@creator/slug, their versions at /@creator/slug@3: letters, digits and hyphens.',
    });
  } else if (path.isBatch && req.method !== 'POST') {
    throw new Problem('method_not_allowed', {
      detail: 'Send many inputs at once with POST and {"inputs": [{…}, …]}.',
      headers: { Allow: 'POST, OPTIONS' },
    });
  } else if (!isServed(req)) {
    throw new Problem('method_not_allowed', {
      detail: 'Call a resource with POST and a JSON body, or with GET and its parameters in the query.',
      headers: { Allow: [...methods, 'OPTIONS'].join(', ') },
    });
  }
  const told = readCallHeaders(deps, exchange);
  const body = await readCallBody(exchange, {
    limitBytes: path ? await deps.gateway.findBodyLimit(path) : PLAIN_BODY_BYTES,
    clientAddress: told.clientAddress,
    budget: deps.largeBodies,
  });
  const request = {
    ...told,
    url: path ? toRequested(path) : (req.url ?? '/'),
    bodyDigest: body.digest,
    isOwnerTest: req.method !== 'HEAD' && readHeader(req, 'x-owner-test')?.toLowerCase() === 'true',
    events: readEventsAsked(req),
    later: { ...readPrefer(req), callbackUrl: readHeader(req, CALLBACK_HEADER.toLowerCase()) },
  };
  if (isExecute) {
    return { ...request, ...readExecute(body.input) };
  }
  const query = readQuery(path?.query ?? '');
  const input = body.sizeBytes === 0 ? query : body.input;
  const target = {
    ...toNames(path),
    ...(path?.version === undefined ? {} : { version: path.version }),
    ...(path?.isBatch ? { isBatch: true as const } : {}),
  };
  return { ...request, input, target };
}

/** One text for all spellings of a resource's path, so that a payment bound to one of them is bound to it. */
function toRequested({ creator, slug, version, isBatch, query }: NonNullable<Exchange['path']>): string {
  const named = version === undefined ? slug : toPinnedSlug(slug, version);
  const path = toResourcePath(creator, named);
  return `${isBatch ? toBatchUrl(path) : path}${query === '' ? '' : `?${query}`}`;
}

/** Of the newest version alone: another one may have other offers. Whoever pays is told why not. */
async function findPage(deps: PaidRouteDeps, { req, path }: Exchange): Promise<string | null> {
  return path && path.version === undefined && isVisit(req) && !isPaying(req)
    ? deps.showPage({ ...toNames(path), clientAddress: readClientAddress(req, deps.trustedProxyHops) })
    : null;
}

type Shown = Exchange & { page: string | null };

function writeOutcome(deps: PaidRouteDeps, exchange: Shown, outcome: CallOutcome): number {
  const { req, res, requestId, page } = exchange;
  const headers = { ...sharedHeaders, 'X-Request-Id': requestId, ...toBuyerHeaders(outcome) };
  if (outcome.kind === 'challenge') {
    const { reason, detail } = outcome;
    return writeChallenge(outcome.challenge, { req, res, headers, reason, detail, page });
  }
  if (outcome.kind === 'problem') {
    const { problem, charged } = outcome;
    const told = { requestId, more: toBuyerMembers(outcome), headers };
    return writeProblem(res, problem, charged === undefined ? told : { ...told, charged });
  }
  if (outcome.kind === 'accepted') {
    return writeAccepted(outcome, { req, res, headers });
  }
  const { callId } = outcome;
  const onSent = outcome.isPaid ? () => deps.gateway.markDelivered(callId) : () => {};
  const onFault = (err: unknown): void => deps.log.error({ err, requestId, callId }, 'a stream broke off');
  return writeAnswer(outcome, { res, requestId, headers, onSent, onFault });
}

interface ChallengeContext extends Pick<Exchange, 'req' | 'res'> {
  headers: Readonly<Record<string, string>>;
  reason?: string | undefined;
  detail?: string | undefined;
  page?: string | null;
}

function writeChallenge(challenge: Challenge, context: ChallengeContext): number {
  const { req, res, headers, reason, detail, page = null } = context;
  const { method = 'POST' } = req;
  const { headers: own, body } = toChallengeAnswer(challenge, { method, reason, detail });
  if (page !== null) {
    const shown = {
      ...pageHeaders,
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': Buffer.byteLength(page),
    };
    res.writeHead(402, { ...headers, ...own, ...shown }).end(page);
    return 402;
  }
  res.writeHead(402, { ...headers, ...own });
  res.end(method === 'HEAD' ? undefined : body);
  return 402;
}

interface ProblemContext {
  requestId: string;
  charged?: boolean;
  more?: Readonly<Record<string, unknown>>;
  headers?: Readonly<Record<string, string>>;
}

function writeProblem(res: ServerResponse, error: unknown, context: ProblemContext): number {
  const { headers: added, ...told } = context;
  const { status, headers, body } = toProblemAnswer(error, told);
  if (res.headersSent) {
    res.destroy();
    return status;
  }
  res.writeHead(status, { ...sharedHeaders, ...added, ...headers });
  res.end(body);
  return status;
}

function isServed({ method = 'GET' }: IncomingMessage): boolean {
  return methods.has(method);
}

function isUnpaid(req: IncomingMessage): boolean {
  const { headers } = req;
  return (
    !('payment-signature' in headers || 'x-payment' in headers || 'x-owner-test' in headers) || req.method === 'HEAD'
  );
}

function toNames(path: Exchange['path']): { creator: string; slug: string } {
  return { creator: path?.creator ?? '', slug: path?.slug ?? '' };
}
