import { setTimeout as wait } from 'node:timers/promises';
import { parseExactJson } from '#kit/index.ts';
import type { AnswerPart } from '#resources/index.ts';
import type { PlacedPart, StreamPlace } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { cannotProduce, isGivenUp } from './give-up-owed.ts';
import { placeFrom, placeParts, startAfter, toBegin } from './place-parts.ts';
import { answerOwed, purchaseUnknown } from './public-problem.ts';
import { toWholeStream, type StoredAnswer } from './stored-answer.ts';

/** A notification may be lost. */
const LOOK_AGAIN_MS = 1_000;
/** A run that was lost begins again by itself within this time, or its buyer has to ask. */
const OWED_LIMIT_MS = 20_000;

interface StreamRow {
  state: string;
  runs: number;
  answer: string | null;
  reason: string | null;
  transaction: string | null;
  is_given_up: boolean;
}

interface KeptRow {
  begins: number;
  parts: string;
}

const selectCall = `
  SELECT state, runs, CASE WHEN state IN ('settled', 'delivered', 'owed') THEN answer END AS answer,
    reason, transaction, ${isGivenUp} AS is_given_up
  FROM calls WHERE id = $1`;
const selectParts = `
  SELECT begins, parts FROM call_stream_parts WHERE call_id = $1 AND run = $2 AND ends > $3 ORDER BY begins LIMIT 8`;

type FollowDeps = Pick<GatewayDeps, 'database' | 'streams'>;

interface Reading {
  after: StreamPlace | null;
  /** Aborts when the reader has gone. */
  gone?: AbortSignal | undefined;
}

/**
 * A stream that is running, in whichever process, from what is kept of it, and its end from the stored answer. Where its run
 * is lost the next one is followed, from its beginning.
 */
export async function* followStream(
  deps: FollowDeps,
  callId: string,
  { after, gone }: Reading,
): AsyncGenerator<PlacedPart> {
  let place = after;
  let owedSince: number | null = null;
  const leave = deps.streams.enter(callId);
  try {
    while (gone?.aborted !== true) {
      const kept = deps.streams.untilKept();
      const call = await readCall(deps, callId);
      const answer = call?.answer ?? null;
      if (answer !== null) {
        return yield* placeParts(toWholeStream(parseExactJson(answer) as StoredAnswer), place);
      }
      owedSince = call?.state === 'owed' ? (owedSince ?? performance.now()) : null;
      const isLost = owedSince !== null && performance.now() - owedSince > OWED_LIMIT_MS;
      if (!call || call.is_given_up || isLost || !['fulfilling', 'owed'].includes(call.state)) {
        const { problem } = toEnd(call);
        return yield { ...(place ?? { run: 1, position: 0 }), part: { type: 'error', problem } };
      }
      let hasMore = false;
      for await (const placed of readKept(deps, { callId, run: call.runs }, place)) {
        hasMore = true;
        place = placed;
        yield placed;
      }
      if (!hasMore) {
        await untilMore(kept, gone);
      }
    }
  } finally {
    leave();
  }
}

async function readCall({ database }: FollowDeps, callId: string): Promise<StreamRow | null> {
  const found = await database.system.query<StreamRow>({ name: 'streams_call', text: selectCall, values: [callId] });
  return found.rows[0] ?? null;
}

/** Why there is no answer, or none yet. */
function toEnd(call: StreamRow | null) {
  if (call?.is_given_up) {
    return cannotProduce(call.reason, call.transaction ?? 'unknown');
  }
  return call?.state === 'owed' ? answerOwed() : purchaseUnknown();
}

/** Something may have been kept, the time is over, or the reader has gone. */
async function untilMore(kept: Promise<void>, gone: AbortSignal | undefined): Promise<void> {
  const over = new AbortController();
  const signal = gone ? AbortSignal.any([gone, over.signal]) : over.signal;
  await Promise.race([kept, wait(LOOK_AGAIN_MS, null, { ref: false, signal }).catch(() => {})]);
  over.abort();
}

/** What is kept of this run behind the place, without a gap. */
async function* readKept(
  { database }: FollowDeps,
  { callId, run }: { callId: string; run: number },
  after: StreamPlace | null,
): AsyncGenerator<PlacedPart> {
  let from = startAfter(run, after);
  const values = [callId, run, from];
  const { rows } = await database.system.query<KeptRow>({ name: 'streams_parts', text: selectParts, values });
  if (rows.length > 0 && after?.run !== run) {
    yield toBegin(run);
  }
  for (const { begins, parts } of rows) {
    if (begins > from) {
      return;
    }
    for (const placed of placeFrom(JSON.parse(parts) as AnswerPart[], { run, begins, from })) {
      from = placed.position;
      yield placed;
    }
  }
}
