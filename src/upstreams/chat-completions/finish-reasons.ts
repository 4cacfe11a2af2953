import type { FinishReason } from './chat.ts';

/**
 * The words of the format, and those of upstreams that keep the ones of their own API.
 * @source the API references of OpenAI, Anthropic (end_turn …), Google (STOP, MAX_TOKENS, SAFETY …), Mistral
 * (model_length), Zhipu (sensitive) and text-generation-inference (eos_token, stop_sequence)
 */
const meanings: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['stop', 'stop'],
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['eos', 'stop'],
  ['eos_token', 'stop'],
  ['completed', 'stop'],
  ['length', 'length'],
  ['max_tokens', 'length'],
  ['model_length', 'length'],
  ['content_filter', 'content_filter'],
  ['safety', 'content_filter'],
  ['recitation', 'content_filter'],
  ['prohibited_content', 'content_filter'],
  ['sensitive', 'content_filter'],
  ['refusal', 'content_filter'],
  ['tool_calls', 'tool_calls'],
  ['tool_use', 'tool_calls'],
  ['function_call', 'tool_calls'],
  ['error', 'error'],
]);

/** Null while there is none: an empty text is what some upstreams send until the end. */
export function toFinishReason(given: string | null | undefined): FinishReason | null {
  return given ? (meanings.get(given.toLowerCase()) ?? 'unknown') : null;
}
