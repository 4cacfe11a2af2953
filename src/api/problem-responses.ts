import { listCodes, problemKinds, type BoundOperation, type ProblemCode } from '#kit/index.ts';

type Responses = Record<string, unknown>;

/** What HTTP itself answers to any request of the management API that has a body. */
const ofBodies: readonly ProblemCode[] = ['too_large', 'unsupported_media_type'];

/** What may have become of the run that a payment bought. */
export const runProblems: readonly ProblemCode[] = [
  'payment_in_use',
  'gone',
  'unprocessable',
  'content_refused',
  'rate_limited',
  'internal',
  'upstream_failed',
  'unavailable',
  'settlement_pending',
  'answer_owed',
  'upstream_timeout',
];

/** What any surface of the paid call may answer with. */
export const callProblems: readonly ProblemCode[] = [
  'invalid_input',
  'invalid_payload',
  'invalid_x402_version',
  'buyer_unproven',
  'not_found',
  'method_not_allowed',
  ...ofBodies,
  ...runProblems,
];

/** The problems that an operation answers with over HTTP, by status. */
export function operationProblems(operation: BoundOperation): Responses {
  const isChange = !operation.route.startsWith('GET ');
  // A change under a session from another site's page is forbidden, whatever the operation demands.
  return problemResponses([...listCodes(operation), ...(isChange ? [...ofBodies, 'forbidden' as const] : [])]);
}

/** OpenAPI responses for these codes; several codes can share a status. */
export function problemResponses(codes: readonly ProblemCode[]): Responses {
  const byStatus = Map.groupBy(new Set(codes), (code) => problemKinds[code].status);
  const sorted = [...byStatus].sort(([a], [b]) => a - b);
  return Object.fromEntries(sorted.map(([status, here]) => [status, problemResponse(here)]));
}

function problemResponse(codes: readonly ProblemCode[]) {
  const narrowed = { properties: { code: { enum: codes } } };
  const schema = { allOf: [{ $ref: '#/components/schemas/Problem' }, narrowed] };
  return {
    description: codes.map((code) => `\`${code}\`: ${problemKinds[code].title}.`).join(' '),
    content: { 'application/problem+json': { schema } },
  };
}
