/** What an upstream answers to one request. */
interface Reply {
  status?: number;
  headers?: Readonly<Record<string, string>>;
  /** The body: JSON, the events of a stream (texts as they are), or text. */
  json?: unknown;
  events?: readonly unknown[];
  text?: string;
  /** The connection breaks instead of ending. */
  isCut?: boolean;
}

/**
 * How one upstream answered somebody, and what buyer and creator are told of it here. A report of a shape that is read
 * wrongly becomes a row.
 */
export interface UpstreamShape {
  name: string;
  /** The public report or document that shows the shape. */
  source: string;
  /** In the order of the requests; the last one answers all further ones. */
  replies: readonly Reply[];
  /** What the buyer sends. */
  phrase?: string;
  /** Of the resource, beside prompt and model. */
  config?: Readonly<Record<string, unknown>>;
  told:
    | { response: string; finishReason?: string }
    | { problem: string; cause: string; pauses?: true; retryAfterSeconds?: number };
  /** Members of the body of the last request; null: not there. */
  sends?: Readonly<Record<string, unknown>>;
  requests?: number;
}

/** One choice of a stream. */
export function chunk(delta: object, finishReason: string | null = null): object {
  return { object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finishReason }] };
}

/** A whole answer in one piece of JSON. */
export function completion(message: object, finishReason: string | null = 'stop'): object {
  return {
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finishReason }],
    usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
  };
}

/** The events of a good stream of this text. */
export function stream(text: string): unknown[] {
  return [chunk({ role: 'assistant', content: text }), chunk({}, 'stop'), 'data: [DONE]\n\n'];
}

/** A refusal in the form of Google, which puts it into a list where a stream was asked for. */
export function listed(status: number, message: string, more: object = {}): Reply {
  return { status, json: [{ error: { code: status, message, status: 'INVALID_ARGUMENT', ...more } }] };
}

/** A refusal in the form of OpenAI, which most upstreams share. */
export function refusal(message: string, more: object = {}, status = 400): Reply {
  return { status, json: { error: { message, type: 'invalid_request_error', param: null, code: null, ...more } } };
}
