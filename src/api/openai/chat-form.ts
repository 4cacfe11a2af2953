import type { ServerEvent } from '../event-stream.ts';
import { toFarebox, toSeconds, type Form, type Reply, type StreamForm } from './form.ts';
import type { SaidAnswer } from './read-answer.ts';
import { readChat } from './read-chat.ts';

/** `POST /v1/chat/completions`. Pictures and citations as OpenRouter has them. */
export const chatForm: Form = { path: '/v1/chat/completions', read: readChat, toJson: toCompletion, openStream };

function toCompletion(reply: Reply, said: SaidAnswer): object {
  const message = { role: 'assistant', content: said.text, refusal: null, ...toBeside(said) };
  const choice = { index: 0, message, logprobs: null, finish_reason: toFinish(said) };
  return {
    id: reply.id,
    object: 'chat.completion',
    created: toSeconds(reply),
    model: reply.model,
    choices: [choice],
    ...(said.usage === null ? {} : { usage: toUsage(said.usage) }),
    farebox: toFarebox(reply, said),
  };
}

function openStream(reply: Reply): StreamForm {
  const shared = { id: reply.id, object: 'chat.completion.chunk', created: toSeconds(reply), model: reply.model };
  const usage = reply.includesUsage ? { usage: null } : {};
  const chunk = (delta: object, more: object = {}): ServerEvent => {
    const choice = { index: 0, delta, logprobs: null, finish_reason: null, ...more };
    return { data: { ...shared, choices: [choice], ...usage } };
  };
  const toLast = (said: SaidAnswer): ServerEvent => {
    const choice = { index: 0, delta: toBeside(said), logprobs: null, finish_reason: toFinish(said) };
    return { data: { ...shared, choices: [choice], ...usage, farebox: toFarebox(reply, said) } };
  };
  return {
    begin: () => [chunk({ role: 'assistant', content: '' })],
    text: (content) => [chunk({ content })],
    end: (said) => [
      toLast(said),
      ...(reply.includesUsage ? [{ data: { ...shared, choices: [], usage: said.usage && toUsage(said.usage) } }] : []),
      { data: '[DONE]' },
    ],
    fail: (error) => [{ data: { error } }],
  };
}

/** A tool is never asked for here: what a model wrote before it wanted one was the answer. */
function toFinish({ isCut }: SaidAnswer): string {
  return isCut ? 'length' : 'stop';
}

function toBeside({ images, citations }: SaidAnswer): object {
  return {
    ...(images.length > 0
      ? { images: images.map(({ url }, index) => ({ type: 'image_url', index, image_url: { url } })) }
      : {}),
    ...(citations.length > 0 ? { annotations: citations.map(toAnnotation) } : {}),
  };
}

function toAnnotation({ url, title }: SaidAnswer['citations'][number]): object {
  return { type: 'url_citation', url_citation: { url, title: title ?? url, start_index: 0, end_index: 0 } };
}

function toUsage({ input, output, total }: NonNullable<SaidAnswer['usage']>): object {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: total };
}
