import { problemKinds } from '#kit/index.ts';

const failedReceiptSchema = {
  type: 'object',
  description: 'Of a call that held a payment and has no answer. Null is not known yet.',
  required: ['callId', 'payer', 'resource', 'version', 'network', 'charged', 'paidUsdc', 'transaction', 'at', 'next'],
  properties: {
    callId: { type: 'string' },
    payer: { type: 'string' },
    resource: { type: 'string' },
    version: { type: 'integer' },
    network: { type: 'string' },
    charged: { type: ['boolean', 'null'] },
    paidUsdc: { type: ['string', 'null'] },
    transaction: { type: ['string', 'null'] },
    at: { type: 'string', format: 'date-time' },
    next: { type: 'string' },
  },
};

export const problemSchema = {
  type: 'object',
  description: 'RFC 9457, with what to do next.',
  required: ['type', 'title', 'status', 'code', 'detail', 'next', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(problemKinds) },
    detail: { type: 'string' },
    next: { type: 'string' },
    charged: { type: 'boolean', description: 'Present where a payment took part: did money move?' },
    receipt: failedReceiptSchema,
    answerToken: {
      type: 'string',
      description: 'With the first answer to a payment that may have been charged: shows later who its buyer is.',
    },
    transaction: { type: ['string', 'null'], description: 'With `buyer_unproven`: what paid for the answer.' },
    prove: {
      type: 'array',
      items: { type: 'string' },
      description: 'With `buyer_unproven`: the ways to show that one is the buyer.',
    },
    extensions: { type: 'object', description: 'With `buyer_unproven`: `sign-in-with-x`, to be signed.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['path', 'message'],
        properties: { path: { type: 'string', description: 'JSON Pointer' }, message: { type: 'string' } },
      },
    },
    requestId: { type: 'string' },
  },
};
