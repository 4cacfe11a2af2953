import { CALLBACK_HEADER } from '#gateway/index.ts';
import { problemKinds } from '#kit/index.ts';
import { answerHeader, headerParameter } from './payment-headers.ts';
import { problemResponses, runProblems } from './problem-responses.ts';
import { ANSWER_TOKEN_HEADER } from './write-answer.ts';

type JsonObject = Record<string, unknown>;

const text = (description: string): JsonObject => ({ type: 'string', description });
const time = (description: string): JsonObject => ({ type: 'string', format: 'date-time', description });

const statusProperties: JsonObject = {
  callId: { type: 'string', format: 'uuid' },
  state: {
    type: 'string',
    enum: ['running', 'settling', 'owed', 'succeeded', 'failed', 'cancelled', 'expired'],
    description:
      '`settling`: its payment is being settled. `owed`: paid, and run again because a run failed. `expired`: its answer was forgotten.',
  },
  progress: {
    type: ['object', 'null'],
    description: 'How far the run has come, where it tells.',
    required: ['percent', 'note', 'at'],
    properties: {
      percent: { type: ['integer', 'null'], minimum: 0, maximum: 100 },
      note: { type: ['string', 'null'] },
      at: { type: 'string', format: 'date-time' },
    },
  },
  resource: text('The URL of the resource.'),
  createdAt: time('When its payment was taken.'),
  updatedAt: time('Of the last change.'),
  expiresAt: time('Until then the answer is kept at least.'),
  charged: { type: ['boolean', 'null'], description: 'Did money move? Null is not known yet.' },
  receipt: {
    type: ['object', 'null'],
    description: 'Once it is paid, or has ended without an answer: what was charged, without the list of files.',
  },
  problem: {
    type: ['object', 'null'],
    description: 'Why there is no answer.',
    required: ['code', 'title', 'detail', 'next'],
    properties: {
      code: { type: 'string', enum: Object.keys(problemKinds) },
      title: { type: 'string' },
      detail: { type: 'string' },
      next: { type: 'string' },
    },
  },
  statusUrl: text('How it stands: GET.'),
  resultUrl: text('Its answer: GET.'),
  cancelUrl: text('Takes it back before it is paid: POST.'),
  retryAfterSeconds: { type: ['integer', 'null'], description: 'While there is no answer: when to ask again.' },
};

export const callSchemas: Record<string, JsonObject> = {
  CallStatus: {
    type: 'object',
    description: 'How a call stands that is carried out behind its 202.',
    required: Object.keys(statusProperties),
    properties: statusProperties,
  },
  AcceptedCall: {
    allOf: [
      { $ref: '#/components/schemas/CallStatus' },
      {
        type: 'object',
        properties: {
          statusToken: text('Told once, with the 202: `Authorization: Bearer …` at the three URLs.'),
          callbackSecret: text(
            'Told once, where a callback was asked for: what it is signed with (Standard Webhooks).',
          ),
          answerToken: text('The same as the header.'),
        },
      },
    ],
  },
};

const status = { 'application/json': { schema: { $ref: '#/components/schemas/CallStatus' } } };
/** Of the paid call, and of a result that is still to come. */
export const acceptedResponse: JsonObject = {
  description: 'The call is carried out behind this answer: follow it at its status URL.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/AcceptedCall' } } },
  headers: {
    Location: answerHeader('Its status URL.'),
    'Retry-After': answerHeader('When to ask there, in seconds.'),
    'Preference-Applied': answerHeader('`respond-async`, where the buyer has asked for it.'),
    'PAYMENT-RESPONSE': answerHeader('The settlement, where it is paid already.'),
  },
};

/** Of the paid call. */
export const laterHeaders: readonly JsonObject[] = [
  headerParameter(
    'Prefer',
    '`respond-async`: answer with 202 and carry the call out behind it (RFC 7240); `respond-async, wait=10`: only if the answer does not come within 10 seconds, at most 60. Not for what is free or tested.',
  ),
  headerParameter(
    CALLBACK_HEADER,
    'With `respond-async`, or where the resource runs long: an https URL that is told, signed, when the call has ended.',
  ),
];

const wait = headerParameter('Prefer', '`wait=30`: answer once the call has ended, or after 30 seconds; at most 60.');
const shared = {
  tags: ['call'],
  security: [{}, { statusToken: [] }],
};
const id = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The call',
  schema: { type: 'string', format: 'uuid' },
};
const proofs = [
  id,
  headerParameter(ANSWER_TOKEN_HEADER, 'In place of the status token: the one of the 202.'),
  headerParameter('SIGN-IN-WITH-X', 'In place of both: `sign-in-with-x` of the 401, signed by the wallet that paid.'),
];

const cancelling = {
  ...shared,
  summary:
    'Take a call back before it is paid: its run is stopped and nothing is charged. What is paid is carried out.',
  parameters: proofs,
  responses: {
    ...problemResponses(['unauthenticated', 'conflict', 'internal']),
    200: { description: 'It is cancelled.', content: status },
  },
};

/** Calls that are carried out behind their 202, as OpenAPI path items. */
export const callPaths: Record<string, JsonObject> = {
  '/api/calls/{id}': {
    get: {
      ...shared,
      operationId: 'calls.get',
      summary: 'How a call stands that was answered with 202, for its buyer.',
      parameters: [...proofs, wait],
      responses: {
        ...problemResponses(['unauthenticated', 'rate_limited', 'internal']),
        200: {
          description:
            'How it stands; with `Accept: text/event-stream` its changes as events `state`, `progress` and `receipt`, and `done` with all of it at the end.',
          content: {
            ...status,
            'text/event-stream': { schema: { type: 'string', description: 'Server-sent events.' } },
          },
        },
      },
    },
    delete: { ...cancelling, operationId: 'calls.delete' },
  },
  '/api/calls/{id}/cancel': { post: { ...cancelling, operationId: 'calls.cancel' } },
  '/api/calls/{id}/result': {
    get: {
      ...shared,
      operationId: 'calls.get_result',
      summary: 'The answer of such a call, as the call itself would have given it.',
      parameters: [...proofs, wait],
      responses: {
        ...problemResponses(['unauthenticated', ...runProblems]),
        200: {
          description: 'The answer, in the form of its resource, with its receipt.',
          content: {
            'application/json': { schema: { type: 'object' } },
            '*/*': { schema: { type: 'string', format: 'binary' } },
          },
        },
        202: { ...acceptedResponse, description: 'It is still carried out.' },
      },
    },
  },
};
