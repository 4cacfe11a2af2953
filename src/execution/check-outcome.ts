import type { ProblemCode } from '#kit/index.ts';
import type { Answer, AnswerBody, Evidence, Failure, Outcome, ResourceKind } from '#resources/index.ts';

/** A kept answer lies in one row of the database, and live ones in memory until they are stored. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
export const TOO_LARGE = 'answer_too_large: The answer is larger than 16 MiB.';
const MAX_EVIDENCE_CHARACTERS = 8_000;
const CONTENT_TYPE = /^[\w!#$&^.+-]{1,60}\/[\w!#$&^.+-]{1,60}(; ?[\w-]{1,30}=("[\w .-]{1,60}"|[\w.-]{1,60})){0,3}$/;
const HEADER_VALUE = /^[\x20-\x7e]{0,500}$/;

/** What a kind may tell the buyer's client beside the content type. Nothing that sets state, redirects or allows. */
const ALLOWED_HEADERS: ReadonlySet<string> = new Set([
  'content-disposition',
  'content-language',
  'etag',
  'last-modified',
]);

type Checked = Pick<ResourceKind, 'evidenceSchema'>;

/** Holds a kind to what every answer owes: allowed headers, a status of success, a bounded size, evidence of its own shape. */
export function checkOutcome(kind: Checked, outcome: Outcome): Outcome {
  const evidence = checkEvidence(kind, outcome.evidence);
  if (!outcome.ok) {
    return { ...outcome, evidence };
  }
  const fault = findFault(outcome.answer);
  return fault === null
    ? { ok: true, answer: { ...outcome.answer, headers: toAllowed(outcome.answer.headers) }, evidence }
    : failure({ problem: 'upstream_failed', cause: fault }, evidence);
}

/** The kind's own part as its schema reads it; what does not fit, or is too long to keep, is left out. */
export function checkEvidence({ evidenceSchema }: Checked, evidence: Evidence): Evidence {
  const own = evidenceSchema.safeParse(evidence.own);
  const isKept = own.success && JSON.stringify(own.data).length <= MAX_EVIDENCE_CHARACTERS;
  return { ...evidence, own: isKept ? own.data : {} };
}

export function failure(what: { problem: ProblemCode; cause: string }, evidence: Evidence): Failure {
  return { ok: false, ...what, evidence };
}

function findFault({ status, contentType, body }: Answer): string | null {
  if (!Number.isInteger(status) || status < 200 || status > 299 || status === 204 || status === 205) {
    return `unusable_status: The answer has the status ${status}.`;
  }
  if (!CONTENT_TYPE.test(contentType)) {
    return 'unusable_content_type: The answer has no content type that could be passed on.';
  }
  return sizeOf(body) > MAX_ANSWER_BYTES ? TOO_LARGE : null;
}

function sizeOf(body: AnswerBody): number {
  switch (body.type) {
    case 'json':
      return Buffer.byteLength(JSON.stringify(body.json));
    case 'bytes':
      return body.bytes.length;
    case 'parts':
      return 0;
  }
}

function toAllowed(headers: Answer['headers']): Record<string, string> {
  const allowed = Object.entries(headers).map(([name, value]): [string, string] => [name.toLowerCase(), value]);
  return Object.fromEntries(allowed.filter(([name, value]) => ALLOWED_HEADERS.has(name) && HEADER_VALUE.test(value)));
}
