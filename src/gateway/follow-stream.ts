import { setTimeout as wait } from 'node:timers/promises';
import { parseExactJson } from '#kit/index.ts';
import type { AnswerPart } from '#resources/index.ts';
import type { PlacedPart, StreamPlace } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
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
}

interface KeptRow {
  begins: number;
  parts: string;
}

const selectCall = `
  SELECT state, runs, CASE WHEN state IN ('settled', 'delivered', 'owed') THEN answer END AS answer
  FROM calls WHERE id = $1`;
const selectParts = `
  SELECT begins, parts FROM call_stream_parts WHERE call_id = $1 AND run = $2 AND ends > $3 ORDER BY begins LIMIT 64`;

type FollowDeps = Pick<GatewayDeps, 'database' | 'streams'>;

/**
 * A stream that is running, in whichever process, from what is kept of it, and its end from the stored answer. Where its run
 * is lost the next one is followed, from its beginning.
 */
export async function* followStream(
  deps: FollowDeps,
  callId: string,
  after: StreamPlace | null,
): AsyncGenerator<PlacedPart> {
  let place = after;
  let owedSince: number | null = null;
  for (;;) {
    const kept = deps.streams.untilKept();
    const { rows } = await deps.database.system.query<StreamRow>({
      name: 'streams_call',
      text: selectCall,
      values: [callId],
    });
    const [call] = rows;
    const answer = call?.answer ?? null;
    if (answer !== null) {
      return yield* placeParts(toWholeStream(parseExactJson(answer) as StoredAnswer), place);
    }
    owedSince = call?.state === 'owed' ? (owedSince ?? performance.now()) : null;
    const isLost = owedSince !== null && performance.now() - owedSince > OWED_LIMIT_MS;
    if (!call || isLost || !['fulfilling', 'owed'].includes(call.state)) {
      const { problem } = call?.state === 'owed' ? answerOwed() : purchaseUnknown();
      return yield { ...(place ?? { run: 1, position: 0 }), part: { type: 'error', problem } };
    }
    let hasMore = false;
    for await (const placed of readKept(deps, { callId, run: call.runs }, place)) {
      hasMore = true;
      place = placed;
      yield placed;
    }
    if (!hasMore) {
      await Promise.race([kept, wait(LOOK_AGAIN_MS, null, { ref: false })]);
    }
  }
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
