import type { IncomingMessage, ServerResponse } from 'node:http';
import { Problem, type ByteBudget, type Caller, type Log } from '#kit/index.ts';
import { CALLBACK_HEADER, type CallOutcome, type CallRequest, type Gateway } from '#gateway/index.ts';
import { SIGN_IN_HEADER, toSettlementHeader } from '#payments/index.ts';
import { toAllowedHeaders } from './allow-headers.ts';
import { toClientAddress } from './client-address.ts';
import { LAST_EVENT_ID } from './read-events-asked.ts';
import { ANSWER_TOKEN_HEADER, IGNORED_HEADER, RECEIPT_HEADER } from './write-answer.ts';

/** What the surfaces of the paid call need. */
export interface PaidRouteDeps {
  gateway: Gateway;
  authenticate(headers: Headers): Promise<Caller>;
  /** How many proxies in front append to X-Forwarded-For. */
  trustedProxyHops: number;
  log: Pick<Log, 'info' | 'error'>;
  /** What people are shown in place of a 402's JSON; null where there is no page. */
  showPage(visit: { creator: string; slug: string; clientAddress: string }): Promise<string | null>;
  /** Counts for /metrics; seconds where work was done. */
  observe(outcome: string, seconds?: number): void;
}

/** Bodies beyond what every call may have are counted together, whatever surface they come by. */
export type BoundedDeps = PaidRouteDeps & { largeBodies: ByteBudget };

export interface CallExchange {
  req: IncomingMessage;
  res: ServerResponse;
  requestId: string;
}

/** On everything that the paid call answers. */
export const sharedHeaders = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': `PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, ${RECEIPT_HEADER}, ${ANSWER_TOKEN_HEADER}, ${IGNORED_HEADER}, X-Should-Retry, Allow, Location, Preference-Applied, Retry-After, WWW-Authenticate, X-Request-Id`,
  'X-Content-Type-Options': 'nosniff',
};

/** `Access-Control-Expose-Headers` is none of a request, but `@x402/fetch` sends it with every payment. */
const headersOfCalls = `Content-Type, PAYMENT-SIGNATURE, X-PAYMENT, X-OWNER-TEST, Authorization, Idempotency-Key, ${LAST_EVENT_ID}, ${ANSWER_TOKEN_HEADER}, ${SIGN_IN_HEADER}, Prefer, ${CALLBACK_HEADER}, Access-Control-Expose-Headers`;

interface Preflight {
  methods: Iterable<string>;
  /** The headers that are read there; those of a call unless told. */
  readHeaders?: string;
}

/** What a page may send from anywhere. */
export function answerPreflight(
  { req, res }: Pick<CallExchange, 'req' | 'res'>,
  { methods, readHeaders = headersOfCalls }: Preflight,
): void {
  res
    .writeHead(204, {
      ...sharedHeaders,
      'Access-Control-Allow-Methods': [...methods].join(', '),
      'Access-Control-Max-Age': '86400',
      ...toAllowedHeaders(readHeader(req, 'access-control-request-headers'), readHeaders),
    })
    .end();
}

/** What the headers say of a call, however its resource and input are named. */
export function readCallHeaders(
  { authenticate, trustedProxyHops }: PaidRouteDeps,
  { req, res, requestId }: CallExchange,
): Omit<CallRequest, 'target' | 'url' | 'bodyDigest' | 'input' | 'isOwnerTest' | 'events' | 'later'> {
  return {
    requestId,
    method: req.method ?? 'GET',
    payment: readPayment(req),
    idempotencyKey: readHeader(req, 'idempotency-key') ?? '',
    answerToken: readHeader(req, ANSWER_TOKEN_HEADER.toLowerCase()),
    signIn: readHeader(req, SIGN_IN_HEADER.toLowerCase()),
    authenticate: () => authenticate(toHeaders(req)),
    clientAddress: readClientAddress(req, trustedProxyHops),
    gone: untilGone(res),
  };
}

export function readClientAddress(req: IncomingMessage, trustedProxyHops: number): string {
  const addresses = { forwardedFor: readHeader(req, 'x-forwarded-for'), peer: req.socket.remoteAddress };
  return toClientAddress(addresses, trustedProxyHops);
}

function untilGone(res: ServerResponse): AbortSignal {
  const gone = new AbortController();
  res.once('close', () => {
    if (!res.writableFinished) {
      gone.abort();
    }
  });
  return gone.signal;
}

export function readHeader(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

export function isPaying({ headers }: IncomingMessage): boolean {
  return 'payment-signature' in headers || 'x-payment' in headers;
}

export function toSettlementHeaders({ settlement }: Pick<CallOutcome, 'settlement'>): Record<string, string> {
  const settled = settlement ? toSettlementHeader(settlement.x402Version, settlement) : null;
  return settled ? { [settled.name]: settled.value } : {};
}

/** What a buyer is told of an outcome in headers, in whatever form the rest is told. */
export function toBuyerHeaders(outcome: CallOutcome): Record<string, string> {
  const token = outcome.kind === 'challenge' ? undefined : outcome.answerToken;
  return {
    ...toSettlementHeaders(outcome),
    ...(token === undefined ? {} : { [ANSWER_TOKEN_HEADER]: token }),
  };
}

/** And in the members of a problem, beside those that every problem has. */
export function toBuyerMembers(outcome: CallOutcome & { kind: 'problem' }): Record<string, unknown> {
  const { receipt, proof, answerToken } = outcome;
  return { ...(receipt ? { receipt } : {}), ...proof, ...(answerToken === undefined ? {} : { answerToken }) };
}

/**
 * What is said of trouble that was thrown, which is before a payment is claimed: from then on outcomes tell whether money
 * moved.
 */
export async function toThrown(
  { gateway }: Pick<PaidRouteDeps, 'gateway'>,
  { req }: Pick<CallExchange, 'req'>,
  error: unknown,
): Promise<{ error: unknown; charged?: boolean }> {
  if (!(error instanceof Problem) || !isPaying(req)) {
    return { error };
  }
  const { problem, charged } = await gateway.refuseEarly(readPayment(req), error);
  return { error: problem, ...(charged === undefined ? {} : { charged }) };
}

/** A HEAD request has no room for an answer: it is always a probe. */
function readPayment(req: IncomingMessage): CallRequest['payment'] {
  const paymentSignature = readHeader(req, 'payment-signature');
  const xPayment = readHeader(req, 'x-payment');
  return req.method === 'HEAD'
    ? {}
    : {
        ...(paymentSignature === undefined ? {} : { paymentSignature }),
        ...(xPayment === undefined ? {} : { xPayment }),
      };
}

function toHeaders(req: IncomingMessage): Headers {
  const headers = new Headers();
  for (const name of ['authorization', 'cookie', 'origin', 'user-agent'] as const) {
    const value = req.headers[name];
    if (value !== undefined) {
      headers.set(name, value);
    }
  }
  return headers;
}
