import type { ProblemCode } from '#kit/index.ts';
import { buyerHeaders, offerHeaders, payingHeaders, settlementHeaders } from '../payment-headers.ts';
import { callProblems, problemResponses } from '../problem-responses.ts';
import { IGNORED_HEADER, RECEIPT_HEADER } from '../write-answer.ts';

type JsonObject = Record<string, unknown>;

const string = { type: 'string' };
const ref = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });

export const openaiSchemas: Record<string, JsonObject> = {
  OpenaiError: {
    type: 'object',
    description: 'A problem as OpenAI’s clients read it.',
    required: ['error'],
    properties: {
      error: {
        type: 'object',
        required: ['message', 'type', 'param', 'code', 'next', 'request_id'],
        properties: {
          message: { type: 'string', description: 'What was wrong, what to do, and whether money moved.' },
          type: string,
          param: { type: ['string', 'null'], description: 'The first field that is wrong.' },
          code: { type: 'string', description: 'As the `code` of a problem.' },
          next: string,
          charged: { type: 'boolean', description: 'Present where a payment took part: did money move?' },
          request_id: string,
        },
      },
    },
  },
  OpenaiModel: {
    type: 'object',
    description: 'A published resource.',
    required: ['id', 'object', 'created', 'owned_by', 'name', 'description', 'pricing', 'url'],
    properties: {
      id: { type: 'string', description: '`creator/slug`, or `creator/slug@3` for one of its versions.' },
      object: { type: 'string', const: 'model' },
      created: { type: 'integer', description: 'When it was published, in seconds since 1970.' },
      owned_by: { type: 'string', description: 'Its creator.' },
      name: string,
      description: string,
      pricing: {
        type: 'object',
        required: ['request'],
        properties: {
          request: {
            type: 'string',
            description:
              'The most that one call costs, in USD; where the price follows from the input, its 402 tells the exact one.',
          },
        },
      },
      url: { type: 'string', description: 'Where its 402 tells its parameters.' },
    },
  },
};

function toErrors(codes: readonly ProblemCode[]): JsonObject {
  const all = Object.entries(problemResponses(codes) as Record<string, { description: string }>);
  const content = { 'application/json': { schema: ref('OpenaiError') } };
  return Object.fromEntries(all.map(([status, { description }]) => [status, { description, content }]));
}

const challenge = {
  description: 'Payment required: x402 version 2 in the header, the offers of version 1 beside the error.',
  headers: {
    ...offerHeaders,
    [IGNORED_HEADER]: { description: 'Names of what will have no effect.', schema: string },
  },
  content: {
    'application/json': {
      schema: {
        allOf: [
          ref('OpenaiError'),
          {
            type: 'object',
            required: ['x402Version', 'accepts'],
            properties: {
              x402Version: { type: 'integer', const: 1 },
              accepts: { type: 'array', items: { type: 'object' } },
            },
          },
        ],
      },
    },
  },
};

interface Described {
  operationId: string;
  summary: string;
  description: string;
  /** The members that only this request has, of which the first is needed. */
  own: JsonObject;
  answer: string;
}

function toCall({ operationId, summary, description, own, answer }: Described): JsonObject {
  const properties = {
    model: { type: 'string', description: '`creator/slug`, or `creator/slug@3` for one of its versions.' },
    ...own,
    stream: { type: 'boolean', default: false },
    metadata: {
      type: 'object',
      description: 'Parameters of the resource by their names, as text. Others are ignored.',
      additionalProperties: string,
    },
    parameters: { type: 'object', description: 'The same as what they are; unknown names are refused.' },
  };
  const required = ['model', Object.keys(own)[0]];
  return {
    operationId,
    tags: ['openai'],
    summary,
    description,
    security: [{}, { apiKey: [] }],
    parameters: [...payingHeaders, ...buyerHeaders],
    requestBody: {
      required: true,
      content: { 'application/json': { schema: { type: 'object', required, properties } } },
    },
    responses: {
      ...toErrors(callProblems),
      200: {
        description: answer,
        headers: {
          ...settlementHeaders,
          [RECEIPT_HEADER]: { description: 'The receipt, base64 of its JSON.', schema: string },
          [IGNORED_HEADER]: {
            description: 'Names of what had no effect.',
            schema: string,
          },
        },
        content: {
          'application/json': { schema: toAnswer() },
          'text/event-stream': { schema: { type: 'string' } },
        },
      },
      402: challenge,
    },
  };
}

function toAnswer(): JsonObject {
  const farebox = {
    type: 'object',
    description: 'What OpenAI’s form has no place for.',
    required: ['receipt'],
    properties: {
      receipt: ref('Receipt'),
      model: { type: 'string', description: 'Which model answered.' },
      ignored: { type: 'array', items: string, description: 'Names of what had no effect.' },
      media: { type: 'array', items: { type: 'object' }, description: 'Every file of the answer, by signed links.' },
      answer: { type: 'object', description: 'Other members of the resource’s own answer.' },
      test: { type: 'boolean', description: 'Its owner’s own run.' },
      simulated: { type: 'boolean' },
    },
  };
  return {
    type: 'object',
    required: ['id', 'object', 'model', 'farebox'],
    properties: { id: string, object: string, model: string, farebox },
  };
}

const message = {
  type: 'array',
  description:
    'The last message is the user’s: its text is `user_message` or the only text, its files the parameter that takes such. What user and assistant said before is ignored, and told as ignored with how many messages it is.',
  items: { type: 'object' },
};

const decided =
  'Settings that shape the text alone (`temperature`, `max_tokens` …) are the resource’s own: they are ignored, and told as ignored. So are earlier messages of user and assistant. What would change the answer (tools, several choices, system prompts …) is refused before anybody pays. The API key of its owner (scope `resources:write`) runs it without a payment; any other key is nobody’s.';

const models = {
  200: {
    description: 'The models.',
    content: {
      'application/json': {
        schema: {
          type: 'object',
          required: ['object', 'data', 'first_id', 'last_id', 'has_more'],
          properties: {
            object: { type: 'string', const: 'list' },
            data: { type: 'array', items: ref('OpenaiModel') },
            first_id: { type: ['string', 'null'] },
            last_id: { type: ['string', 'null'] },
            has_more: { type: 'boolean' },
          },
        },
      },
    },
  },
  304: { description: 'Not changed.' },
};

const query = (name: string, schema: JsonObject, description: string): JsonObject => {
  return { name, in: 'query', required: false, description, schema };
};

const inPath = (name: string, description: string): JsonObject => {
  return { name, in: 'path', required: true, description, schema: string };
};

/** What clients of OpenAI use, as OpenAPI path items. */
export const openaiPaths: Record<string, Record<string, unknown>> = {
  '/v1/chat/completions': {
    post: toCall({
      operationId: 'openai.chat',
      summary: 'The paid call for clients of OpenAI: `model` names the resource.',
      description: decided,
      own: {
        messages: message,
        stream_options: { type: 'object', properties: { include_usage: { type: 'boolean' } } },
      },
      answer: 'A `chat.completion`; with `stream` its chunks, then `[DONE]`.',
    }),
  },
  '/v1/responses': {
    post: toCall({
      operationId: 'openai.response',
      summary: 'The same as a response: one message in, one message out.',
      description: `${decided} Responses are not kept as conversations.`,
      own: { input: { oneOf: [string, message] } },
      answer: 'A `response`; with `stream` its events.',
    }),
  },
  '/v1/models': {
    get: {
      operationId: 'openai.models',
      tags: ['openai'],
      summary: 'Published resources as models, newest first.',
      security: [],
      parameters: [
        query('limit', { type: 'integer', minimum: 1, maximum: 1000 }, '1,000 unless told.'),
        query('after', string, 'The id of the last one of the page before.'),
      ],
      responses: { ...toErrors(['invalid_input', 'not_found', 'rate_limited', 'internal']), ...models },
    },
  },
  '/v1/models/{creator}/{slug}': {
    get: {
      operationId: 'openai.model',
      tags: ['openai'],
      summary: 'One of them. Its id may also be one encoded segment.',
      security: [],
      parameters: [inPath('creator', 'The creator'), inPath('slug', 'The resource; `slug@3` is its version 3.')],
      responses: {
        ...toErrors(['invalid_input', 'not_found', 'rate_limited', 'internal']),
        200: { description: 'The model.', content: { 'application/json': { schema: ref('OpenaiModel') } } },
        304: models[304],
      },
    },
  },
};
