import type { Log } from '#kit/index.ts';
import type { Timers } from '../timers.ts';
import { wait } from '../wait.ts';
import type { Adjustment } from './adjustments.ts';
import { attemptChat, type Attempt, type PreparedAttempt } from './attempt-chat.ts';
import type { ChatAudio, ChatCall, ChatFacts, ChatResult } from './chat.ts';
import { hasOutput, joinAudio, type Collected } from './collect-answer.ts';
import { decideRetry } from './decide-retry.ts';
import type { AdjustmentMemory } from './remember-adjustments.ts';

export interface ChatDeps {
  /** Names the upstream in log lines. */
  name: string;
  log: Log;
  timers: Timers;
}

/** One call, ready to be sent as often as the rules allow and in the form that the upstream takes. */
export interface PreparedChat extends Omit<PreparedAttempt, 'body'> {
  toBody(adjustments: ReadonlySet<Adjustment>): string;
  /** How sound was asked for, which the answer does not repeat. */
  audioFormat?: string;
  /** Where what is learnt about this upstream and model is kept; null: requests are never adjusted. */
  lessons: { memory: AdjustmentMemory; key: string } | null;
}

/** One chat call: attempts, waits between them, and the result with its evidence. */
export async function sendChat(deps: ChatDeps, prepared: PreparedChat, call: ChatCall): Promise<ChatResult> {
  const startedAtMs = deps.timers.now();
  const { lessons } = prepared;
  let adjustments = lessons?.memory.get(lessons.key) ?? new Set<Adjustment>();
  let detours = 0;
  for (let attempts = 1; ; attempts += 1) {
    const attempt = await attemptChat(deps.timers, { ...prepared, body: prepared.toBody(adjustments) }, call);
    const { adjustment } = attempt;
    if (lessons !== null && adjustment !== null && !adjustments.has(adjustment) && !hasOutput(attempt.collected)) {
      // Refused for its form, before any work that would be billed: asked again at once, each way a single time.
      adjustments = new Set([...adjustments, adjustment]);
      detours += 1;
      deps.log.info({ upstream: deps.name, adjustment }, 'an upstream does not take a request as it is');
      continue;
    }
    const delayMs = delayAfter(deps, { attempt, attempts: attempts - detours, call });
    if (delayMs === null || !(await wait(deps.timers, delayMs, call.signal))) {
      learn(prepared, attempt, adjustments);
      return toResult(prepared, attempt, {
        ...toFacts(attempt, { attempts, startedAtMs, endedAtMs: deps.timers.now() }),
        adjustments: [...adjustments],
      });
    }
  }
}

/**
 * What led to an answer is kept. A refusal that names what was adjusted forgets it, so that the next call begins with the
 * plain form; any other refusal, such as one of the content, says nothing about the form.
 */
function learn({ lessons }: PreparedChat, attempt: Attempt, adjustments: ReadonlySet<Adjustment>): void {
  const { failure, named } = attempt;
  if (failure === null) {
    lessons?.memory.set(lessons.key, adjustments);
  } else if ((failure.status === 400 || failure.status === 422) && named.some((one) => adjustments.has(one))) {
    lessons?.memory.set(lessons.key, new Set());
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

function toFacts(
  { collected, firstTokenAtMs, isSimulated }: Attempt,
  span: { attempts: number; startedAtMs: number; endedAtMs: number },
): Omit<ChatFacts, 'adjustments'> {
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

function toResult({ audioFormat }: PreparedChat, { failure, collected }: Attempt, facts: ChatFacts): ChatResult {
  if (failure !== null) {
    return { ...facts, ok: false, failure };
  }
  return {
    ...facts,
    ok: true,
    text: collected.text || collected.transcript,
    images: [...collected.images].map((dataUrl) => ({ dataUrl })),
    audio: toAudio(collected, audioFormat ?? 'pcm16'),
    citations: [...collected.citations.values()],
  };
}

function toAudio(collected: Collected, format: string): ChatAudio | null {
  const { transcript } = collected;
  return collected.audio.length === 0 ? null : { base64: joinAudio(collected), format, transcript };
}
