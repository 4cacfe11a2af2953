import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Timers } from '../timers.ts';
import type { ChatCall, ChatFailure } from './chat.ts';
import { collectEvent, hasOutput, startCollecting, toLabel, type Collected } from './collect-answer.ts';
import { judgeAnswer } from './judge-answer.ts';
import { parseEvent } from './parse-event.ts';
import { parseFailure, plainFailure } from './parse-failure.ts';
import { quoteLabel } from './quote-upstream.ts';
import { readEvents, readText, TooLargeError } from './read-events.ts';
import { watchAttempt, type Watch } from './watch-attempt.ts';

const MAX_ERROR_BYTES = 64_000;
const MAX_JSON_BYTES = 32_000_000;
const MAX_LINGER_MS = 1_000;
const FINISH_REASONS = new Set(['stop', 'length', 'content_filter', 'tool_calls', 'function_call', 'error']);

/** One request, ready to be sent as often as the retry rules allow. */
export interface PreparedChat {
  dispatcher: Dispatcher;
  origin: string;
  path: string;
  headers: Record<string, string>;
  body: string;
  /** What must never be quoted back: the API key first, then every message. */
  secrets: readonly string[];
  idleTimeoutMs: number;
}

export interface Attempt {
  failure: ChatFailure | null;
  collected: Collected;
  firstTokenAtMs: number | null;
  isSimulated: boolean;
}

/** Sends the request once and reads the answer to its end. Every way to fail is a value. */
export async function attemptChat(timers: Timers, prepared: PreparedChat, call: ChatCall): Promise<Attempt> {
  const attempt: Attempt = { failure: null, collected: startCollecting(), firstTokenAtMs: null, isSimulated: false };
  const watch = watchAttempt(timers, call, prepared.idleTimeoutMs);
  try {
    watch.signal.throwIfAborted();
    const response = await prepared.dispatcher.request({
      origin: prepared.origin,
      path: prepared.path,
      method: 'POST',
      headers: prepared.headers,
      body: prepared.body,
      signal: watch.signal,
      // The watch limits both; undici's own timers would count comments as progress.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    attempt.isSimulated = header(response, 'x-farebox-simulated') === 'true';
    attempt.collected.generationId = toLabel(header(response, 'x-generation-id'));
    attempt.failure = await readAnswer({ response, attempt, watch, timers, prepared });
  } catch (error) {
    const kind = watch.reason() ?? (error instanceof TooLargeError ? 'too_large' : 'connection');
    attempt.failure = plainFailure(kind);
  } finally {
    watch.stop();
  }
  hideEchoes(attempt.collected, prepared.secrets);
  return attempt;
}

/** Names that an upstream chose are logged and shown to the creator: they must not carry the prompt or the key there. */
function hideEchoes(collected: Collected, secrets: readonly string[]): void {
  collected.generationId = quoteLabel(collected.generationId, secrets);
  collected.model = quoteLabel(collected.model, secrets);
  collected.provider = quoteLabel(collected.provider, secrets);
  if (!FINISH_REASONS.has(collected.finishReason ?? '')) {
    collected.finishReason = quoteLabel(collected.finishReason, secrets);
  }
}

interface Reading {
  response: Dispatcher.ResponseData;
  attempt: Attempt;
  watch: Watch;
  timers: Timers;
  prepared: PreparedChat;
}

async function readAnswer(reading: Reading): Promise<ChatFailure | null> {
  const { response } = reading;
  const contentType = header(response, 'content-type') ?? '';
  if (response.statusCode < 200 || response.statusCode > 299) {
    return readHttpError(reading);
  }
  if (contentType.includes('json')) {
    return readJson(reading);
  }
  if (contentType !== '' && !contentType.includes('event-stream')) {
    discard(response.body);
    return plainFailure('malformed');
  }
  return readStream(reading);
}

async function readHttpError({ response, prepared, timers }: Reading): Promise<ChatFailure> {
  const text = await readText(response.body, MAX_ERROR_BYTES).catch(() => '');
  return parseFailure({
    kind: 'http_error',
    status: response.statusCode,
    error: parseEvent(text)?.error,
    retryAfterHeader: header(response, 'retry-after'),
    secrets: prepared.secrets,
    nowMs: timers.now(),
  });
}

/** A stream was asked for, plain JSON came: some upstreams report errors so, and a few answer so. */
async function readJson(reading: Reading): Promise<ChatFailure | null> {
  const { attempt, timers } = reading;
  const event = parseEvent(await readText(reading.response.body, MAX_JSON_BYTES));
  if (event === null || (!event.error && !event.choices)) {
    return plainFailure('malformed');
  }
  collectEvent(attempt.collected, event);
  attempt.collected.hasEnded = true;
  attempt.firstTokenAtMs = hasOutput(attempt.collected) ? timers.now() : null;
  return findReportedError(reading) ?? judgeAnswer(attempt.collected);
}

async function readStream(reading: Reading): Promise<ChatFailure | null> {
  const { attempt, watch, timers } = reading;
  const { collected } = attempt;
  let isMalformed = false;
  await readEvents(reading.response.body, (data, isTail) => {
    watch.progress();
    if (data.trim() === '[DONE]') {
      collected.hasEnded = true;
      return 'stop';
    }
    const event = parseEvent(data);
    if (event === null) {
      isMalformed = !isTail;
      return 'stop';
    }
    collectEvent(collected, event);
    if (attempt.firstTokenAtMs === null && hasOutput(collected)) {
      attempt.firstTokenAtMs = timers.now();
    }
    return hasFailed(collected) ? 'stop' : 'more';
  });
  endBody(reading.response.body, timers, hasFailed(collected) || isMalformed);
  if (isMalformed) {
    return plainFailure('malformed');
  }
  return findReportedError(reading) ?? judgeAnswer(collected);
}

function hasFailed(collected: Collected): boolean {
  return collected.isTooLarge || Boolean(collected.error) || collected.finishReason === 'error';
}

function findReportedError({ attempt, prepared, timers, response }: Reading): ChatFailure | null {
  const { error, finishReason } = attempt.collected;
  if (!error && finishReason !== 'error') {
    return null;
  }
  return parseFailure({
    kind: 'error_event',
    status: null,
    error,
    retryAfterHeader: header(response, 'retry-after'),
    secrets: prepared.secrets,
    nowMs: timers.now(),
  });
}

/** A good answer leaves its connection to the next call, unless the upstream does not come to an end. */
function endBody(body: Readable, timers: Timers, isBroken: boolean): void {
  if (isBroken) {
    discard(body);
  } else if (!body.closed) {
    const cancel = timers.after(MAX_LINGER_MS, () => discard(body));
    body.once('close', cancel);
  }
}

/** Destroying a body that has not ended makes its stream emit an error, which means nothing here. */
function discard(body: Readable): void {
  body.on('error', () => {}).destroy();
}

function header(response: Dispatcher.ResponseData, name: string): string | null {
  const value = response.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
