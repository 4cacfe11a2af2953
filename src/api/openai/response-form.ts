import type { ServerEvent } from '../event-stream.ts';
import { toFarebox, toSeconds, type Form, type Reply, type StreamForm } from './form.ts';
import type { SaidAnswer } from './read-answer.ts';
import { readResponseRequest } from './read-response-request.ts';

/** `POST /v1/responses`: one message in, one message out. */
export const responseForm: Form = {
  path: '/v1/responses',
  read: readResponseRequest,
  toJson: toResponse,
  openStream,
};

function toResponse(reply: Reply, said: SaidAnswer): object {
  const status = said.isCut ? 'incomplete' : 'completed';
  return {
    ...toBare(reply, status),
    incomplete_details: said.isCut ? { reason: 'max_output_tokens' } : null,
    output: [toMessage(reply, said, status)],
    ...(said.usage === null ? {} : { usage: toUsage(said.usage) }),
    farebox: toFarebox(reply, said),
  };
}

/** What is known before the answer is. */
function toBare(reply: Reply, status: string): object {
  return {
    id: reply.id,
    object: 'response',
    created_at: toSeconds(reply),
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model: reply.model,
    output: [],
    parallel_tool_calls: false,
    temperature: null,
    tool_choice: 'none',
    tools: [],
    top_p: null,
  };
}

function toMessage(reply: Reply, said: SaidAnswer, status: string): object {
  return { ...toBareMessage(reply, status), content: [toText(said)] };
}

function toBareMessage({ id }: Reply, status: string): object {
  return { type: 'message', id: `msg_${id}`, status, role: 'assistant', content: [] };
}

function toText({ text, citations }: Pick<SaidAnswer, 'text' | 'citations'>): object {
  const annotations = citations.map(({ url, title }) => {
    return { type: 'url_citation', url, title: title ?? url, start_index: 0, end_index: 0 };
  });
  return { type: 'output_text', text, annotations, logprobs: [] };
}

function openStream(reply: Reply): StreamForm {
  let count = 0;
  const event = (type: string, members: object): ServerEvent => {
    const data = { type, sequence_number: count, ...members };
    count += 1;
    return { event: type, data };
  };
  const place = { item_id: `msg_${reply.id}`, output_index: 0, content_index: 0 };
  return {
    begin: () => [
      event('response.created', { response: toBare(reply, 'in_progress') }),
      event('response.in_progress', { response: toBare(reply, 'in_progress') }),
      event('response.output_item.added', { output_index: 0, item: toBareMessage(reply, 'in_progress') }),
      event('response.content_part.added', { ...place, part: toText({ text: '', citations: [] }) }),
    ],
    text: (delta) => [event('response.output_text.delta', { ...place, delta, logprobs: [] })],
    end: (said) => {
      const last = said.isCut ? 'response.incomplete' : 'response.completed';
      const item = toMessage(reply, said, said.isCut ? 'incomplete' : 'completed');
      return [
        event('response.output_text.done', { ...place, text: said.text, logprobs: [] }),
        event('response.content_part.done', { ...place, part: toText(said) }),
        event('response.output_item.done', { output_index: 0, item }),
        event(last, { response: toResponse(reply, said) }),
      ];
    },
    fail: (error) => [event('error', { ...error, type: 'error', error })],
  };
}

function toUsage({ input, output, total }: NonNullable<SaidAnswer['usage']>): object {
  return { input_tokens: input, output_tokens: output, total_tokens: total };
}
