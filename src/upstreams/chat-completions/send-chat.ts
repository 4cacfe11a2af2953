import type { Log } from '#kit/index.ts';
import type { Timers } from '../timers.ts';
import { attemptChat, type Attempt, type PreparedChat } from './attempt-chat.ts';
import type { ChatCall, ChatFacts, ChatResult } from './chat.ts';
import { hasOutput } from './collect-answer.ts';
import { decideRetry } from './decide-retry.ts';

export interface ChatDeps {
  /** Names the upstream in log lines. */
  name: string;
  log: Log;
  timers: Timers;
}

/** One chat call: attempts, waits between them, and the result with its evidence. */
export async function sendChat(deps: ChatDeps, prepared: PreparedChat, call: ChatCall): Promise<ChatResult> {
  const startedAtMs = deps.timers.now();
  for (let attempts = 1; ; attempts += 1) {
    const attempt = await attemptChat(deps.timers, prepared, call);
    const delayMs = delayAfter(deps, { attempt, attempts, call });
    if (delayMs === null || !(await wait(deps.timers, delayMs, call.signal))) {
      return toResult(attempt, toFacts(attempt, { attempts, startedAtMs, endedAtMs: deps.timers.now() }));
    }
  }
}

function delayAfter(deps: ChatDeps, made: { attempt: Attempt; attempts: number; call: ChatCall }): number | null {
  const { failure, collected } = made.attempt;
  if (failure === null) {
    return null;
  }
  const delayMs = decideRetry({
    failure,
    attempts: made.attempts,
    hasEvents: collected.hasEvents,
    hasOutput: hasOutput(collected),
    leftMs: made.call.deadlineMs - deps.timers.now(),
  });
  deps.log.warn(
    {
      upstream: deps.name,
      attempt: made.attempts,
      failure: failure.kind,
      status: failure.status,
      errorType: failure.errorType,
      generationId: collected.generationId,
      retryInMs: delayMs,
    },
    'an upstream attempt failed',
  );
  return delayMs;
}

/** True after the delay, false as soon as the caller goes away. */
function wait(timers: Timers, delayMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (isOver: boolean): void => {
      cancel();
      signal.removeEventListener('abort', onAbort);
      resolve(isOver);
    };
    const onAbort = (): void => end(false);
    const cancel = timers.after(delayMs, () => end(true));
    if (signal.aborted) {
      onAbort();
    } else {
      signal.addEventListener('abort', onAbort, { once: true });
    }
  });
}

function toFacts(
  { collected, firstTokenAtMs, isSimulated }: Attempt,
  span: { attempts: number; startedAtMs: number; endedAtMs: number },
): ChatFacts {
  return {
    model: collected.model,
    provider: collected.provider,
    generationId: collected.generationId,
    usage: collected.usage,
    finishReason: collected.finishReason,
    firstTokenMs: firstTokenAtMs === null ? null : firstTokenAtMs - span.startedAtMs,
    latencyMs: span.endedAtMs - span.startedAtMs,
    attempts: span.attempts,
    isSimulated,
  };
}

function toResult({ failure, collected }: Attempt, facts: ChatFacts): ChatResult {
  return failure === null
    ? { ...facts, ok: true, text: collected.text, images: [...collected.images].map((dataUrl) => ({ dataUrl })) }
    : { ...facts, ok: false, failure };
}
