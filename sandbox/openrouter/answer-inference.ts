import { authenticate } from './accounts.ts';
import type { Completion } from './completion.ts';
import type { Exchange } from './exchange.ts';
import type { ChosenFault } from './fault-plan.ts';
import type { Fault } from './fault.ts';
import { listFiles, measureFiles } from './file-sizes.ts';
import { infer, settle, takeFault } from './infer.ts';
import type { Inference } from './infer.ts';
import type { ChatRequest } from './parse-chat.ts';
import { isRefusal, refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import { replyRefusal, replyText } from './reply.ts';
import type { Reply } from './reply.ts';
import { toRoutingMetadata } from './routing-metadata.ts';
import type { State } from './state.ts';
import type { Frame, WireOptions } from './wire.ts';

/** One of the forms in which OpenRouter takes questions and gives answers. */
export interface Dialect {
  parse(body: unknown): ChatRequest | Refusal;
  toJson(completion: Completion, options: AnswerOptions): unknown;
  /** `fault` is what goes wrong inside the stream, if anything. */
  toFrames(completion: Completion, options: AnswerOptions & { chosen: ChosenFault | null }): Frame[];
  refuse(refusal: Refusal, userId?: string): Reply;
  /** What keeps a silent stream alive. */
  comment?: string;
}

export interface AnswerOptions extends WireOptions {
  /** As it came: answers in some dialects repeat parts of it. */
  body: Record<string, unknown>;
}

/** Files are measured first: whatever follows is done in one piece, so that requests at once are told apart by money alone. */
export function answerInference(state: State, exchange: Exchange, dialect: Dialect): Reply | Promise<Reply> {
  const request = dialect.parse(exchange.body);
  const files = isRefusal(request) ? [] : listFiles(request);
  const answer = (): Reply => answerRequest(state, { exchange, dialect, request });
  return files.length === 0 ? answer() : measureFiles(state.measure, files).then(answer);
}

interface Parsed {
  exchange: Exchange;
  dialect: Dialect;
  request: ChatRequest | Refusal;
}

function answerRequest(state: State, { exchange, dialect, request }: Parsed): Reply {
  const taken = takeFault(state, exchange);
  const early = taken.chosen === null ? null : answerWithFault(taken.chosen.fault, dialect);
  if (early !== null) {
    return early;
  }
  const key = authenticate(state.keys, exchange.headers['authorization'], state.clock.now());
  if (isRefusal(key)) {
    return dialect.refuse(key);
  }
  const inference = infer(state, key, { ...taken, exchange, request });
  if (isRefusal(inference)) {
    return dialect.refuse(inference, key.account.userId);
  }
  const options: AnswerOptions = {
    body: (exchange.body ?? {}) as Record<string, unknown>,
    metadata: wantsMetadata(exchange) ? toRoutingMetadata(inference) : undefined,
    usageChunkChoices: state.usageChunkChoices,
  };
  const sending = { exchange, dialect, inference, options };
  return inference.request.stream ? answerStream(state, sending) : answerJson(state, sending);
}

/** Faults that need no work at all. */
export function answerWithFault(
  fault: Fault,
  dialect: Pick<Dialect, 'refuse'> = { refuse: replyRefusal },
): Reply | null {
  if (fault.refusal) {
    return dialect.refuse(fault.refusal);
  }
  if (fault.page) {
    return replyText(fault.page.html, { status: fault.page.status, contentType: 'text/html; charset=utf-8' });
  }
  return fault.connection ? { kind: 'connection', how: fault.connection } : null;
}

function wantsMetadata({ headers }: Exchange): boolean {
  return [headers['x-openrouter-metadata'], headers['x-openrouter-experimental-metadata']].includes('enabled');
}

interface Sending {
  exchange: Exchange;
  dialect: Dialect;
  inference: Inference;
  options: AnswerOptions;
}

function answerJson(state: State, { exchange, dialect, inference, options }: Sending): Reply {
  const { completion, chosen } = inference;
  const isStreamOnly = chosen?.fault.frames !== undefined && chosen.fault.body === undefined;
  if (isStreamOnly) {
    inference.release();
    return dialect.refuse(refuse(502, 'Provider returned error', { error_type: 'provider_unavailable' }));
  }
  // An answer without a stream is billed whole, even where the client has gone.
  settle(state, exchange, { ...inference, sent: { tokens: completion.completionTokens, isComplete: true } });
  const text = JSON.stringify(dialect.toJson(completion, options));
  const { firstTokenMs, tokensPerSecond } = latencyOf(state, inference);
  const writingMs = tokensPerSecond > 0 ? (completion.completionTokens * 1_000) / tokensPerSecond : 0;
  const changed = chosen?.fault.body?.(text);
  return replyText(changed?.text ?? text, {
    headers: headersOf(completion),
    delayMs: firstTokenMs + writingMs + (chosen?.fault.slow === 'headers' ? state.slowMs : 0),
    pauseMs: chosen?.fault.slow === 'body' ? state.slowMs : 0,
    cut: changed?.cut ?? false,
  });
}

function answerStream(state: State, { exchange, dialect, inference, options }: Sending): Reply {
  const { completion, chosen } = inference;
  const frames = dialect.toFrames(completion, { ...options, chosen });
  const middle = Math.floor(frames.length / 2);
  const paused = frames.map((frame, at) => (at === middle ? { ...frame, pauseMs: state.slowMs } : frame));
  return {
    kind: 'stream',
    frames: chosen?.fault.slow === 'body' ? paused : frames,
    headers: headersOf(completion),
    delayMs: chosen?.fault.slow === 'headers' ? state.slowMs : 0,
    latency: latencyOf(state, inference),
    comment: dialect.comment,
    settle: (sent) => settle(state, exchange, { ...inference, sent }),
  };
}

function latencyOf(state: State, { route }: Inference): State['latency'] {
  return { ...state.latency, ...state.modelLatency.get(route.model.id) };
}

function headersOf({ id, provider }: Completion): Record<string, string> {
  return { 'x-generation-id': id, 'x-provider-name': provider };
}
