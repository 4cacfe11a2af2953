interface Kind {
  status: number;
  title: string;
  next: string;
}

/** The closed list of problem codes: what each is called, its HTTP status and what the reader does next. */
export const problemKinds = {
  invalid_input: { status: 400, title: 'The request is not valid', next: 'Correct the request and send it again.' },
  invalid_payload: {
    status: 400,
    title: 'The payment header cannot be read',
    next: 'Send base64 of the JSON that the x402 specification describes.',
  },
  invalid_x402_version: {
    status: 400,
    title: 'This x402 version is not spoken here',
    next: 'Pay with x402 version 1 or 2.',
  },
  unauthenticated: {
    status: 401,
    title: 'Not signed in',
    next: 'Sign in, or send an API key as "Authorization: Bearer …".',
  },
  payment_required: {
    status: 402,
    title: 'Payment required',
    next: 'Pay one of the offers in the PAYMENT-REQUIRED header.',
  },
  forbidden: { status: 403, title: 'Not allowed', next: 'Use an account or API key that has this right.' },
  buyer_unproven: {
    status: 403,
    title: 'Show that you are the buyer',
    next: 'Send the same payment again with one of the proofs in `prove`; do not sign a new one.',
  },
  not_found: { status: 404, title: 'Not found', next: 'Check the address.' },
  method_not_allowed: {
    status: 405,
    title: 'This method is not served here',
    next: 'Use one of the methods in the Allow header.',
  },
  conflict: {
    status: 409,
    title: 'This conflicts with what is stored',
    next: 'Read the current state and decide anew.',
  },
  payment_in_use: {
    status: 409,
    title: 'This payment is already in use',
    next: 'Wait for the first request, or sign a new payment for another one.',
  },
  gone: { status: 410, title: 'No longer offered', next: 'Look for another resource.' },
  precondition_failed: { status: 412, title: 'The state has changed', next: 'Read the current state and decide anew.' },
  too_large: { status: 413, title: 'The request is too large', next: 'Send less.' },
  unsupported_media_type: { status: 415, title: 'This content type is not read here', next: 'Send application/json.' },
  unprocessable: {
    status: 422,
    title: 'The request cannot be carried out',
    next: 'Correct the request and send it again.',
  },
  content_refused: { status: 422, title: 'The input was refused', next: 'Change the input and send it again.' },
  rate_limited: { status: 429, title: 'Too many requests', next: 'Wait as long as the Retry-After header says.' },
  internal: {
    status: 500,
    title: 'Something went wrong here',
    next: 'Try again; if it happens again, report the request id.',
  },
  upstream_failed: {
    status: 502,
    title: 'Resource unavailable',
    next: 'Try again later; the same payment can be used again.',
  },
  unavailable: { status: 503, title: 'Resource unavailable', next: 'Try again later.' },
  settlement_pending: {
    status: 503,
    title: 'The payment is being settled',
    next: 'Send the same payment again after the Retry-After time; do not sign a new one.',
  },
  answer_owed: {
    status: 503,
    title: 'The answer is owed to you',
    next: 'Send the same payment again after the Retry-After time: the call runs again without a new charge.',
  },
  upstream_timeout: {
    status: 504,
    title: 'Resource unavailable',
    next: 'Try again; the same payment can be used again.',
  },
} as const satisfies Record<string, Kind>;

export type ProblemCode = keyof typeof problemKinds;

/** One thing wrong with one field; `path` is a JSON Pointer (RFC 6901) into the request. */
export interface FieldProblem {
  path: string;
  message: string;
}

interface ProblemOptions {
  detail: string;
  next?: string;
  fields?: readonly FieldProblem[];
  headers?: Readonly<Record<string, string>>;
  cause?: unknown;
}

/** The one error type that reaches users. `detail` is public: never put a secret, a prompt or upstream text in it. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly next: string;
  readonly fields: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, options: ProblemOptions) {
    super(options.detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = problemKinds[code].status;
    this.next = options.next ?? problemKinds[code].next;
    this.fields = options.fields ?? [];
    this.headers = options.headers ?? {};
  }
}

interface ProblemContext {
  requestId: string;
  /** Present where a payment took part: did money move? */
  charged?: boolean;
}

export function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(problemKinds, text);
}

/** RFC 9457 body. Unknown errors become `internal` and keep their message to themselves. */
export function toProblemJson(error: unknown, context: ProblemContext): Record<string, unknown> {
  const problem =
    error instanceof Problem ? error : new Problem('internal', { detail: 'The server met an unexpected error.' });
  return {
    type: `https://farebox.dev/problems/${problem.code}`,
    title: problemKinds[problem.code].title,
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    next: problem.next,
    ...(context.charged === undefined ? {} : { charged: context.charged }),
    ...(problem.fields.length > 0 ? { errors: problem.fields } : {}),
    requestId: context.requestId,
  };
}
