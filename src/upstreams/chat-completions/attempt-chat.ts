import type { Dispatcher } from 'undici';
import { openAnswer, readAnswerText, type Answer, type AnswerBody, type Head } from '../open-answer.ts';
import { TooLargeError } from '../read-body.ts';
import type { Timers } from '../timers.ts';
import type { ChatCall, ChatFailure, FailureKind } from './chat.ts';
import { findAdjustment, listNamed, type Adjustment } from './adjustments.ts';
import {
  collectEvent,
  hasOutput,
  startCollecting,
  takeOffThinking,
  toLabel,
  type Collected,
} from './collect-answer.ts';
import { judgeAnswer } from './judge-answer.ts';
import { passOnText, type TextPassing } from './pass-on-text.ts';
import { openEventParser } from './open-event-parser.ts';
import { parseEvent, type ChatEvent } from './parse-event.ts';
import { parseFailure, plainFailure } from './parse-failure.ts';
import { labelQuoter } from './quote-upstream.ts';
import { readErrorBody } from './read-error.ts';
import { readEvents } from './read-events.ts';
import { watchAttempt, type Watch } from './watch-attempt.ts';

const MAX_ERROR_BYTES = 64_000;
const MAX_LINGER_MS = 1_000;

/** One request, ready to be sent. */
export interface PreparedAttempt {
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
  /** How the request could be put so that this upstream takes it; null where it gave no such hint. */
  adjustment: Adjustment | null;
  /** The adjustments that its refusal may be about. */
  named: readonly Adjustment[];
}

/** Sends the request once and reads the answer to its end. Every way to fail is a value. */
export async function attemptChat(timers: Timers, prepared: PreparedAttempt, call: ChatCall): Promise<Attempt> {
  const attempt: Attempt = {
    failure: null,
    collected: startCollecting(),
    firstTokenAtMs: null,
    isSimulated: false,
    adjustment: null,
    named: [],
  };
  const watch = watchAttempt(timers, call, prepared.idleTimeoutMs);
  try {
    watch.signal.throwIfAborted();
    const { dispatcher, origin, path, headers, body } = prepared;
    // The watch limits both times; undici's own timers would count comments as progress.
    const asked = { origin, path, headers, body, headersTimeout: 0, bodyTimeout: 0 };
    const response = await openAnswer(dispatcher, asked, watch.signal);
    attempt.isSimulated = header(response, 'x-farebox-simulated') === 'true';
    attempt.collected.generationId = toLabel(header(response, 'x-generation-id'));
    const passing = call.onText ? passOnText(attempt, call.onText) : null;
    attempt.failure = await readAnswer({ response, attempt, watch, timers, prepared, passing });
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
  const quote = labelQuoter(secrets);
  collected.generationId = quote(collected.generationId);
  collected.model = quote(collected.model);
  collected.provider = quote(collected.provider);
}

interface Reading {
  response: Answer;
  attempt: Attempt;
  watch: Watch;
  timers: Timers;
  prepared: PreparedAttempt;
  passing: TextPassing | null;
}

async function readAnswer(reading: Reading): Promise<ChatFailure | null> {
  const { response } = reading;
  if (response.status < 200 || response.status > 299) {
    const text = await readAnswerText(response.body, MAX_ERROR_BYTES).catch(() => '');
    return toFailure(reading, { kind: 'http_error', status: response.status, error: readErrorBody(text) });
  }
  if (/html|image|audio|video/.test(header(response, 'content-type') ?? '')) {
    response.body.discard();
    return plainFailure('malformed');
  }
  const isMalformed = await readBody(reading);
  endBody(response.body, reading.timers, hasFailed(reading.attempt.collected) || isMalformed);
  if (isMalformed) {
    return plainFailure('malformed');
  }
  const { collected } = reading.attempt;
  if (collected.error || collected.finishReason === 'error') {
    return toFailure(reading, { kind: 'error_event', status: null, error: collected.error });
  }
  if (reading.passing) {
    reading.passing.end();
  } else {
    takeOffThinking(collected);
  }
  return judgeAnswer(collected);
}

/** Collects what comes, as a stream or in one piece. @returns whether something of it is no answer. */
async function readBody({ response, attempt, watch, timers, passing }: Reading): Promise<boolean> {
  const { collected } = attempt;
  const parse = openEventParser();
  let isMalformed = false;
  const collect = (event: ChatEvent): void => {
    collectEvent(collected, event);
    if (passing === null) {
      collected.newText = '';
    }
    if (attempt.firstTokenAtMs === null && hasOutput(collected)) {
      attempt.firstTokenAtMs = timers.now();
    }
  };
  await readEvents(response.body, {
    onData: (data, isTail) => {
      watch.progress();
      if (data.trim() === '[DONE]') {
        return 'stop';
      }
      const event = parse(data);
      if (event === null) {
        isMalformed = !isTail;
        return 'stop';
      }
      collect(event);
      if (hasFailed(collected)) {
        return 'stop';
      }
      passing?.pass();
      return 'more';
    },
    untilTaken: () => passing?.untilTaken() ?? null,
    // A stream was asked for, plain JSON came: some upstreams report errors so, and a few answer so.
    onJson: (text) => {
      const event = parseEvent(text);
      if (event === null || (!event.error && !event.choices)) {
        isMalformed = true;
      } else {
        collect(event);
      }
    },
  });
  return isMalformed;
}

function hasFailed(collected: Collected): boolean {
  return collected.isTooLarge || Boolean(collected.error) || collected.finishReason === 'error';
}

function toFailure(
  { attempt, prepared, timers, response }: Reading,
  found: { kind: FailureKind; status: number | null; error: unknown },
): ChatFailure {
  const [, ...messages] = prepared.secrets;
  attempt.adjustment = findAdjustment(found.error, messages);
  attempt.named = listNamed(found.error, messages);
  return parseFailure({
    ...found,
    retryAfterHeader: header(response, 'retry-after'),
    secrets: prepared.secrets,
    nowMs: timers.now(),
  });
}

/** A good answer leaves its connection to the next call, unless the upstream does not come to an end. */
function endBody(body: AnswerBody, timers: Timers, isBroken: boolean): void {
  if (isBroken) {
    body.discard();
  } else if (!body.isOver) {
    body.whenOver(timers.after(MAX_LINGER_MS, () => body.discard()));
  }
}

function header({ headers }: Head, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
