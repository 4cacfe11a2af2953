import type { IncomingMessage, ServerResponse } from 'node:http';
import { newId, Problem, type Caller } from '#kit/index.ts';
import { MOST_BODY_BYTES, type CallOutcome, type CallRequest } from '#gateway/index.ts';
import { toChallengeAnswer, type Challenge } from '#payments/index.ts';
import {
  answerPreflight,
  isPaying,
  readCallHeaders,
  readHeader,
  sharedHeaders,
  toBuyerHeaders,
  toBuyerMembers,
  toThrown,
  type BoundedDeps,
  type CallExchange,
} from '../call-exchange.ts';
import { toProblemAnswer } from '../problem.ts';
import { readCallBody } from '../read-call-body.ts';
import { chatForm } from './chat-form.ts';
import type { Form } from './form.ts';
import { toModelId } from './model-id.ts';
import { readAsked, type Read } from './read-asked.ts';
import { responseForm } from './response-form.ts';
import { writeAccepted } from '../write-status.ts';
import { toIgnoredHeader, writeReply } from './write-reply.ts';

const forms: readonly Form[] = [chatForm, responseForm];

interface Exchange extends CallExchange {
  form: Form;
}

/**
 * The paid call for clients of OpenAI: the model names the resource, the rest is put into its parameters. `false`: the path
 * is not one of theirs.
 */
export function openaiRoute(deps: BoundedDeps): (req: IncomingMessage, res: ServerResponse) => boolean {
  return (req, res) => {
    const [path] = (req.url ?? '').split('?');
    const form = forms.find((one) => one.path === path);
    if (!form) {
      return false;
    }
    const exchange = { req, res, requestId: newId(), form };
    if (req.method === 'OPTIONS') {
      answerPreflight(exchange, { methods: ['POST'] });
    } else {
      void answer(deps, exchange);
    }
    return true;
  };
}

async function answer(deps: BoundedDeps, exchange: Exchange): Promise<void> {
  const { requestId } = exchange;
  const startedAt = performance.now();
  let status: number;
  let said = 'internal';
  let model: string | null = null;
  try {
    const read = await readRequest(deps, exchange);
    model = toModelId(read.target);
    const outcome = await deps.gateway.call(read.request);
    said = outcome.kind === 'problem' ? outcome.problem.code : outcome.kind;
    status = writeOutcome(deps, exchange, { outcome, read });
  } catch (error) {
    said = error instanceof Problem ? error.code : said;
    if (!(error instanceof Problem)) {
      deps.log.error({ err: error, requestId }, 'a call in the words of OpenAI failed unexpectedly');
    }
    const { error: thrown, ...told } = await toThrown(deps, exchange, error);
    status = writeProblem(exchange, thrown, told);
  }
  const latencyMs = Math.round(performance.now() - startedAt);
  deps.observe(said, latencyMs / 1000);
  deps.log.info({ requestId, status, outcome: said, model, latencyMs }, 'call');
}

type Request = Read & { request: CallRequest; isStrangersKey: boolean };

async function readRequest(deps: BoundedDeps, exchange: Exchange): Promise<Request> {
  const { req, form } = exchange;
  if (req.method !== 'POST') {
    throw new Problem('method_not_allowed', {
      detail: 'Send a POST request with JSON.',
      headers: { Allow: 'POST, OPTIONS' },
    });
  }
  const told = readCallHeaders(deps, exchange);
  const { clientAddress } = told;
  const body = await readCallBody(exchange, { limitBytes: MOST_BODY_BYTES, clientAddress, budget: deps.largeBodies });
  const read = await readAsked(deps.gateway, body, form);
  // What bought an answer before finds it whatever became of the resource since.
  if (!read.input.ok && !isPaying(req)) {
    throw read.input.problem;
  }
  const caller = await findKeyOwner(told, req);
  const isOwner = caller.kind === 'user' && caller.userId === read.ownerId && caller.scopes.includes('resources:write');
  const request = {
    ...told,
    target: read.target,
    url: form.path,
    bodyDigest: body.digest,
    input: read.input,
    isOwnerTest: isOwner && !isPaying(req),
    events: read.isStream && !read.isJudged ? { after: null } : undefined,
    authenticate: () => Promise.resolve(caller),
  };
  const isStrangersKey = !isOwner && hasKey(req);
  return { ...read, request, isStrangersKey };
}

/** One that looks like ours. */
function hasKey(req: IncomingMessage): boolean {
  return /^bearer +fbx_/i.test(readHeader(req, 'authorization') ?? '');
}

/**
 * Whose API key was sent. OpenAI's clients cannot leave the key out, so one that is none of ours is nobody's; and a browser's
 * cookie, which they do not send, counts for nothing.
 */
async function findKeyOwner(
  { authenticate }: Pick<CallRequest, 'authenticate'>,
  req: IncomingMessage,
): Promise<Caller> {
  const nobody: Caller = { kind: 'anonymous' };
  if (!hasKey(req)) {
    return nobody;
  }
  try {
    return await authenticate();
  } catch (error) {
    if (error instanceof Problem && error.code === 'unauthenticated') {
      return nobody;
    }
    throw error;
  }
}

interface Outcome {
  outcome: CallOutcome;
  read: Request;
}

function writeOutcome(deps: BoundedDeps, exchange: Exchange, { outcome, read }: Outcome): number {
  const { requestId } = exchange;
  const headers = toBuyerHeaders(outcome);
  if (outcome.kind === 'challenge') {
    const told = { ...headers, ...toIgnoredHeader(read.ignored) };
    return writeChallenge(exchange, { ...outcome, headers: told, isStrangersKey: read.isStrangersKey });
  }
  if (outcome.kind === 'problem') {
    const { problem, charged } = outcome;
    const told = { more: toBuyerMembers(outcome), headers };
    return writeProblem(exchange, problem, charged === undefined ? told : { ...told, charged });
  }
  if (outcome.kind === 'accepted') {
    const { req, res } = exchange;
    return writeAccepted(outcome, { req, res, headers: { ...sharedHeaders, 'X-Request-Id': requestId, ...headers } });
  }
  const { callId } = outcome;
  const reply = {
    id: callId,
    model: toModelId(read.target),
    answer: outcome.answer,
    ignored: read.ignored,
    includesUsage: read.includesUsage,
  };
  return writeReply(outcome, {
    ...exchange,
    headers: { ...sharedHeaders, 'X-Request-Id': requestId, ...headers },
    reply,
    isStream: read.isStream,
    onSent: outcome.isPaid ? () => deps.gateway.markDelivered(callId) : () => {},
    onFault: (err: unknown) => deps.log.error({ err, requestId, callId }, 'a stream broke off'),
  });
}

interface Challenged {
  challenge: Challenge;
  reason?: string;
  detail?: string;
  headers: Readonly<Record<string, string>>;
  isStrangersKey: boolean;
}

/** As x402 has it, save that `error` is OpenAI's: version 2 in the header, the members of version 1 beside the error. */
function writeChallenge({ res, requestId }: Exchange, challenged: Challenged): number {
  const { challenge, reason, isStrangersKey } = challenged;
  const why = reason === undefined ? 'This resource is paid per call.' : `The payment was not taken: ${reason}.`;
  const asked = toChallengeAnswer(challenge, { method: 'POST', reason });
  const key = isStrangersKey ? ' The API key that was sent is not one that may run it without a payment.' : '';
  const problem = new Problem('payment_required', { detail: `${challenged.detail ?? why}${key}` });
  const told = toProblemAnswer(problem, {
    requestId,
    ...(reason === undefined ? {} : { more: { reason } }),
    form: 'openai',
  });
  const body = JSON.stringify({
    ...(JSON.parse(asked.body.toString()) as object),
    ...(JSON.parse(told.body) as object),
  });
  res.writeHead(402, {
    ...sharedHeaders,
    'X-Request-Id': requestId,
    ...challenged.headers,
    ...asked.headers,
    'Content-Length': Buffer.byteLength(body),
  });
  res.end(body);
  return 402;
}

interface Told {
  charged?: boolean;
  more?: Readonly<Record<string, unknown>>;
  headers?: Readonly<Record<string, string>>;
}

/**
 * OpenAI's clients send a failed request again by themselves, and a paying fetch signs a new payment for it: unless certainly
 * nothing was charged they are told not to.
 */
function writeProblem({ req, res, requestId }: Exchange, error: unknown, { headers: added, ...told }: Told): number {
  const { status, headers, body } = toProblemAnswer(error, { requestId, ...told, form: 'openai' });
  if (res.headersSent) {
    res.destroy();
    return status;
  }
  const retry = isPaying(req) && told.charged !== false ? { 'X-Should-Retry': 'false' } : {};
  res.writeHead(status, { ...sharedHeaders, ...retry, ...added, ...headers });
  res.end(body);
  return status;
}
