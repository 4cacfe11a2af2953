import { setTimeout as wait } from 'node:timers/promises';
import { collectParts, execute } from '#execution/index.ts';
import { listInputs, type Failure, type Outcome, type PublishedVersion, type WholeBody } from '#resources/index.ts';
import type { PaidCall } from '../call-record.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { releaseRun } from '../hold-run.ts';
import { openLongRun } from '../long-runs/open-long-run.ts';
import { longestRunMs } from '../run-limit.ts';
import { itemLimitBytes, toItemAnswer } from './batch-answer.ts';
import { afterAttempt, pauseAfterMs, toProgress, type ItemState } from './batch-item.ts';
import { beginAttempt, countItems, endAttempt, giveUpOpen, openItems, type Holder } from './batch-rows.ts';

/** Of one batch; each asks an upstream that the creator pays. */
const AT_ONCE = 8;

interface Batch {
  deps: GatewayDeps;
  call: PaidCall;
  holder: Holder;
  /** What each input is run by. */
  version: PublishedVersion;
  inputs: readonly Record<string, unknown>[];
  controller: AbortController;
  /** The longest that the whole may take is over. */
  isOver(): boolean;
  tellEnded(state: ItemState): void;
}

const late = { problem: 'upstream_timeout', cause: 'timeout: all inputs together took longer than a batch may' };
const lost = { problem: 'upstream_failed', cause: 'abandoned: the process that asked stopped before the answer came' };

/**
 * Runs what of a paid batch has no answer yet, a few at a time. Each attempt is counted before it is made and each outcome
 * stored as it comes, so that after a crash only what is not done is run, in whichever process. A process that does not
 * hold the call any more begins nothing.
 */
export async function runBatch(deps: GatewayDeps, call: PaidCall, version: PublishedVersion): Promise<void> {
  const { callId, run } = call;
  const { system } = deps.database;
  const holder: Holder = { callId, run, processId: deps.processId };
  const inputs = listInputs(call.input);
  const controller = new AbortController();
  const { report } = openLongRun(deps, callId, controller);
  const left = await openItems(system, holder, inputs.length);
  const counted = await countItems(system, callId);
  const tell = (): void => report(toProgress(counted));
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    controller.abort();
  }, longestRunMs(call));
  const batch: Batch = {
    deps,
    call,
    holder,
    version,
    inputs,
    controller,
    isOver: () => isOver,
    tellEnded: (state) => {
      counted.ended += 1;
      counted.failed += state === 'failed' ? 1 : 0;
      tell();
    },
  };
  tell();
  // What was set aside for all of them is there for each as it begins.
  await releaseRun(deps, call);
  const work = async (): Promise<void> => {
    for (let item = left.shift(); item && !controller.signal.aborted; item = left.shift()) {
      await runItem(batch, item.item_index);
    }
  };
  const working = await Promise.allSettled(
    Array.from({ length: AT_ONCE }, () =>
      work().catch((error: unknown) => {
        controller.abort();
        throw error;
      }),
    ),
  );
  clearTimeout(timer);
  const broken = working.find((one) => one.status === 'rejected');
  if (broken) {
    throw broken.reason;
  }
  await giveUpOpen(system, holder, isOver ? late : lost);
}

/** Until it has an answer, has failed for good or was tried often enough. */
async function runItem(batch: Batch, index: number): Promise<void> {
  const { deps, holder, controller } = batch;
  const { signal } = controller;
  for (;;) {
    const attempts = await beginAttempt(deps.database.system, holder, index);
    if (attempts === null) {
      return;
    }
    const outcome = await ask(batch, index);
    const isCutOff = !outcome.ok && signal.aborted && !batch.isOver();
    const state = isCutOff ? 'open' : afterAttempt(attempts, outcome);
    const { evidence } = outcome;
    const told = outcome.ok
      ? { answer: toItemAnswer(outcome.answer) }
      : { problem: outcome.problem, cause: outcome.cause };
    await endAttempt(deps.database.system, holder, { index, state, evidence, ...told });
    if (state !== 'open') {
      batch.tellEnded(state);
      return;
    }
    const pauseMs = pauseAfterMs(attempts, outcome.ok ? 0 : outcome.retryAfterSeconds);
    const isInTime = await wait(pauseMs, true, { signal }).catch(() => false);
    if (!isInTime) {
      return;
    }
  }
}

async function ask({ deps, call, version, inputs, controller }: Batch, index: number): Promise<Outcome<WholeBody>> {
  const { callId, payment } = call;
  const limitMs = longestRunMs({ version });
  const work = { version, input: inputs[index] ?? {} };
  const context = { callId, payer: payment.payer, limitMs, isTest: false, signal: controller.signal };
  const outcome = await collectParts(await execute(deps, work, context));
  return outcome.ok ? keepable(outcome, itemLimitBytes(inputs.length)) : outcome;
}

function keepable(outcome: Outcome<WholeBody> & { ok: true }, limitBytes: number): Outcome<WholeBody> {
  const bytes = Buffer.byteLength(JSON.stringify(toItemAnswer(outcome.answer)));
  const { evidence } = outcome;
  const cause = `answer_too_large: The answer takes ${bytes} bytes; of one among so many inputs ${limitBytes} are kept.`;
  const tooLarge: Failure = { ok: false, problem: 'unprocessable', cause, evidence };
  return bytes <= limitBytes ? outcome : tooLarge;
}
