import { Big } from 'big.js';
import { BYOK_FEE } from './completion.ts';
import type { Completion } from './completion.ts';
import { freeOfCharge } from './cost.ts';
import type { Fault } from './fault.ts';

const page = (title: string): string =>
  `<!DOCTYPE html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;

const silent = (completion: Completion): Completion => ({
  ...completion,
  content: '',
  reasoning: null,
  images: [],
  toolCalls: [],
});

const free = (completion: Completion): Completion => ({
  ...completion,
  cost: freeOfCharge,
  charge: freeOfCharge.total,
});

const providerFailure = {
  code: 502,
  message: 'Provider returned error',
  metadata: { error_type: 'provider_unavailable', provider_name: 'Simulated' },
};

/** Answers that begin well: status 200, or a connection that breaks. */
export const answerFaults: Readonly<Record<string, Fault>> = {
  '520_html': { page: { status: 520, html: page('Web server is returning an unknown error') } },
  html_200: { page: { status: 200, html: page('Just a moment...') } },
  socket_reset: { connection: 'reset' },
  socket_hang: { connection: 'hang' },
  truncated_json: {
    body: (text) => ({ text: text.slice(0, Math.floor(text.length / 2)), cut: true }),
    frames: ({ opening, content }) => {
      const [first] = content;
      const half = first ? [{ ...first, text: first.text.slice(0, Math.floor(first.text.length / 2)) }] : [];
      return [opening, ...half, { text: '', tokens: 0, end: 'cut' }];
    },
  },
  ok_200_error_body: {
    isFree: true,
    body: () => ({ text: JSON.stringify({ error: { message: 'Provider returned error', code: 502 } }) }),
    frames: () => [{ text: 'data: {"error":{"message":"Provider returned error","code":502}}\n\n', tokens: 0 }],
  },
  ok_finish_error: {
    isFree: true,
    change: (completion) => free({ ...completion, finishReason: 'error', error: providerFailure }),
  },
  ok_empty: {
    isFree: true,
    change: (completion) =>
      free({ ...silent(completion), finishReason: null, completionTokens: 0, reasoningTokens: 0, imageTokens: 0 }),
  },
  ok_null_content: { change: (completion) => ({ ...silent(completion), content: null }) },
  ok_reasoning_starved: {
    change: (completion) => ({
      ...silent(completion),
      reasoning: '[simulated] Thinking until no tokens are left',
      reasoningTokens: completion.completionTokens,
      imageTokens: 0,
      finishReason: 'length',
    }),
  },
  ok_content_filter: { change: (completion) => ({ ...silent(completion), finishReason: 'content_filter' }) },
  usage_missing: { change: (completion) => ({ ...completion, hasUsage: false }) },
  cost_zero: { change: free },
  is_byok: {
    change: (completion) => ({ ...completion, isByok: true, charge: new Big(BYOK_FEE).times(completion.cost.total) }),
  },
  wrong_model_returned: { change: (completion) => ({ ...completion, model: 'simulated/another-model' }) },
  usage_partial_cost: { change: (completion) => ({ ...completion, hasCost: false }) },
  json_invalid: {
    change: (completion) => ({ ...completion, content: `{"simulated": true, "text": ${completion.content ?? ''}` }),
  },
  slow_headers: { slow: 'headers' },
  slow_body: { slow: 'body' },
  tool_call_split: {
    change: (completion) => ({
      ...completion,
      content: null,
      finishReason: 'tool_calls',
      toolCalls:
        completion.toolCalls.length > 0
          ? completion.toolCalls
          : [{ id: 'call_simulated', name: 'look_up', arguments: '{"words":["simulated","call"],"count":2}' }],
      toolCallPieceLength: 1,
    }),
  },
  generation_404_forever: { isLost: true },
};
