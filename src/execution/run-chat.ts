import type { ProblemCode } from '#kit/index.ts';
import {
  jsonAnswer,
  noEvidence,
  type Evidence,
  type Failure,
  type JsonObject,
  type MediaReference,
  type Outcome,
  type PublishedVersion,
  type Readiness,
  type RunContext,
} from '#resources/index.ts';
import type { ChatCall, ChatFailure, ChatRequest, ChatResult, FailureKind, Upstream } from '#upstreams/index.ts';
import { askForOutput, type AskedOutput } from './ask-for-output.ts';
import { classifyFailure } from './classify-failure.ts';
import { toEvidence } from './chat-evidence.ts';
import type { ExecutionDeps } from './execution-deps.ts';
import { findModelId } from './named-model.ts';
import { isStreak } from './find-streak.ts';
import { giveInParts } from './give-in-parts.ts';
import { toUsage } from './media-answer.ts';
import type { OutputContract } from './output-contract.ts';
import { isFailure, storeFile, storeFiles, type FileFailure } from './store-files.ts';
import { wrapPcm } from './wrap-pcm.ts';
import { findUnfit, keyDown, toSpent, type FoundKey } from './find-key.ts';

/** What a run of any route is: whose version it is, and which key pays for it. */
export type PaidRun = Pick<ChatRun, 'version' | 'context' | 'key' | 'isDeclared'> & {
  request: Pick<ChatRequest, 'model' | 'fallbackModels'>;
};

/** One chat call of a version, ready to go. */
export interface ChatRun {
  version: PublishedVersion;
  context: RunContext;
  upstream: Upstream;
  key: FoundKey;
  request: ChatRequest;
  /** Whether an answer that the token limit has cut is sold. */
  sellsTruncated: boolean;
  /** The JSON that is promised with the answer; null or absent: none. */
  contract?: OutputContract | null;
  /** Prices and limits of its model are the creator's word. */
  isDeclared?: boolean;
}

const AFTER_STREAK =
  'It has hit 5 calls in a row of more than one payer, so nothing is sold until it is tried again in an hour.';

/** Asks the upstream and turns what it says into an outcome: text, stored images, or a failure that says little to the buyer. */
export async function runChat(deps: ExecutionDeps, run: ChatRun): Promise<Outcome> {
  const { signal, deadlineMs } = run.context;
  const held = run.key.source === 'platform' ? await holdShare(deps, run) : null;
  if (held?.ready === false) {
    const { cause, retryAfterSeconds } = held;
    return { ...failBefore(cause), ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  }
  const asked = { request: run.request, contract: run.contract ?? null };
  const call = { apiKey: run.key.apiKey, signal, deadlineMs };
  const ask = async (onText?: ChatCall['onText']): Promise<Outcome> => {
    const heard = onText ? { ...call, onText } : call;
    const made = await askForOutput({ upstream: run.upstream, clock: deps.clock }, asked, heard);
    return judgeMade(deps, run, { made, held });
  };
  // What is judged whole, or is spoken, has no part that could be sold before its end.
  const isInParts = run.context.inParts === true && asked.contract === null && !run.request.audio;
  return isInParts ? giveInParts(deps, run.request.model, ask) : ask();
}

async function judgeMade(
  deps: ExecutionDeps,
  run: ChatRun,
  { made, held }: { made: AskedOutput; held: HeldShare | null },
): Promise<Outcome> {
  const { result, output, isRepaired } = made;
  const keySource = run.key.source === 'platform' ? 'platform' : 'own';
  const told = toEvidence(result, run.request.model);
  // Where a creator names the upstream its models are its own, whatever they are called.
  const named = run.key.source === 'upstream' ? null : await findModelId(deps, told.own['model']);
  const marks = {
    ...named,
    ...(isRepaired ? { isRepaired } : {}),
    ...(run.isDeclared ? { isModelDeclared: true } : {}),
  };
  const evidence: Evidence = { ...told, own: { ...told.own, ...marks }, keySource };
  const costUsd = isRepaired ? evidence.costUsd : toSpentUsd(result, evidence);
  await held?.close(costUsd);
  if (!result.ok) {
    return failWith(deps, run, { failure: result.failure, evidence: { ...evidence, costUsd } });
  }
  const unsold = findUnsold(run, result);
  if (unsold !== null) {
    const failure = { kind: unsold, status: null, message: '', errorType: null } as const;
    return failWith(deps, run, { failure: { ...failure, limitSource: null, retryAfterSeconds: null }, evidence });
  }
  if (output?.ok === false) {
    return { ok: false, problem: 'upstream_failed', cause: toOutputCause(output.faults, result), evidence };
  }
  const stored = await storeMade(deps, run, result);
  return Array.isArray(stored)
    ? { ok: true, answer: toAnswer(result, stored, output?.output), evidence }
    : { ok: false, ...stored, evidence };
}

interface HeldShare {
  ready: true;
  /** Never rejects: what cannot be written down stays counted at its worst. */
  close(costUsd: string | null): Promise<void>;
}

/** Sets the most that this run may cost aside, of what its creator may spend of the operator's key. */
export async function holdShare(
  deps: ExecutionDeps,
  run: PaidRun,
): Promise<HeldShare | Extract<Readiness, { ready: false }>> {
  const budget = deps.platformKey?.budget;
  const models = [run.request.model, ...(run.request.fallbackModels ?? [])];
  const worstUsd = (await run.context.quoteWorst?.()) ?? null;
  const unfit = findUnfit({ models, worstUsd, budget, isDeclared: run.isDeclared });
  if (unfit !== null || worstUsd === null || budget === undefined) {
    return unfit ?? { ready: true, close: async () => {} };
  }
  const { callId } = run.context;
  const id = await budget.reserve(run.version.ownerId, { callId, worstUsd });
  if (id === null) {
    return toSpent(budget, worstUsd);
  }
  const close = (costUsd: string | null) =>
    budget.close(id, costUsd).catch((err: unknown) => {
      deps.log.warn({ err, callId }, 'the cost of a run on the operator key could not be noted');
    });
  return { ready: true, close };
}

/** A refusal or an upstream's own error before the answer began costs nothing; of anything else without a figure nobody knows. */
function toSpentUsd(result: ChatResult, { costUsd }: Evidence): string | null {
  return costUsd ?? (!result.ok && isBeforeAnswer(result, result.failure) ? '0' : null);
}

function isBeforeAnswer({ firstTokenMs }: ChatResult, { kind, status }: ChatFailure): boolean {
  return kind === 'http_error' || (kind === 'error_event' && firstTokenMs === null && status !== null && status >= 500);
}

/**
 * What a filter has cut, or was to be spoken and is only written, is not what was offered; what the token limit has cut is
 * for the creator to decide.
 */
function findUnsold(run: ChatRun, { finishReason, audio }: Extract<ChatResult, { ok: true }>): FailureKind | null {
  if (run.request.audio && audio === null) {
    return 'empty';
  }
  if (finishReason === 'content_filter') {
    return 'filtered';
  }
  return finishReason === 'length' && !run.sellsTruncated ? 'cut_short' : null;
}

/** For the creator: paths and rules of the schema, without what the model wrote there. */
function toOutputCause(faults: readonly string[], { finishReason }: ChatResult): string {
  const why =
    finishReason === 'length'
      ? 'maxTokens cut the JSON: raise it, or promise less.'
      : 'Say in the prompt what belongs where, choose another model, or loosen the schema.';
  return `output_invalid: The answer does not fit the outputSchema (${faults.join('; ')}), so it was not sold. ${why}`;
}

/** Names on the wire that clients of such endpoints know. `finishReason` is `stop` for a whole answer, `length` for a cut one. */
function toAnswer(result: ChatResult & { ok: true }, media: readonly MediaReference[], promised?: JsonObject) {
  const files = media.map((file) => ({ ...file }));
  const images = files.filter(({ kind }) => kind === 'image');
  const audio = files.find(({ kind }) => kind === 'audio');
  const { usage, finishReason, citations } = result;
  const json = {
    response: result.text,
    ...(promised === undefined ? {} : { output: promised }),
    ...(citations.length > 0 ? { citations: citations.map((citation) => ({ ...citation })) } : {}),
    ...(images.length > 0 ? { images } : {}),
    ...(audio ? { audio } : {}),
    ...(files.length > 0 ? { media: files } : {}),
    model: result.model,
    finishReason,
    usage: toUsage({ inputTokens: usage?.inputTokens ?? null, outputTokens: usage?.outputTokens ?? null }),
  };
  return jsonAnswer(json, media);
}

/** The pictures and the sound of an answer. */
async function storeMade(
  deps: ExecutionDeps,
  { version, context }: ChatRun,
  { images, audio }: Extract<ChatResult, { ok: true }>,
): Promise<MediaReference[] | FileFailure> {
  const stored = await storeFiles(deps, { version, context, kind: 'image', files: images });
  if (audio === null || !Array.isArray(stored)) {
    return stored;
  }
  const bytes = Buffer.from(audio.base64, 'base64');
  const sound = audio.format === 'pcm16' ? wrapPcm(bytes, PCM16_RATE) : bytes;
  const spoken = await storeFile(deps, { version, context, kind: 'audio', file: { bytes: sound } });
  return isFailure(spoken) ? spoken : [...stored, spoken];
}

/** Of the raw sound in a chat. @source https://openrouter.ai/docs/features/multimodal/audio */
const PCM16_RATE = 24_000;

/** An outcome for what is known to fail before anything is asked, and so costs nothing. */
export function failBefore(cause: string, problem: ProblemCode = 'unavailable'): Failure {
  return { ok: false, problem, cause, evidence: { ...noEvidence, costUsd: '0' } };
}

export async function failWith(
  deps: ExecutionDeps,
  run: PaidRun,
  found: { failure: ChatFailure; evidence: Evidence },
): Promise<Outcome> {
  const classified = classifyFailure(found.failure);
  if (classified.pause !== null) {
    await stopSales(deps, run, { scope: classified.pause, cause: classified.cause });
  }
  const { retryAfterSeconds } = classified;
  const isOperators = run.key.source === 'platform' && isAboutAccount(classified);
  return {
    ok: false,
    problem: classified.problem,
    cause: isOperators ? keyDown : classified.cause,
    evidence: found.evidence,
    ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }),
  };
}

/** What the account behind a key lacks; the rest is about the resource. */
function isAboutAccount({ pause, code }: ReturnType<typeof classifyFailure>): boolean {
  return pause === 'key' || pause === 'ask' || code === 'budget_reached';
}

/** A dead key of the operator stops what runs on it, for all creators; a dead key of one upstream only what uses that. */
async function stopSales(
  deps: ExecutionDeps,
  run: PaidRun,
  stop: { scope: 'key' | 'resource' | 'ask' | 'streak'; cause: string },
) {
  const { resourceId, ownerId, versionId } = run.version;
  const { cause } = stop;
  try {
    if (stop.scope === 'ask') {
      await askProvider(deps, run);
    } else if (stop.scope === 'streak') {
      await pauseAfterStreak(deps, run, cause);
    } else if (stop.scope === 'resource' || run.key.source === 'upstream') {
      await deps.pauseResource({ resourceId, ownerId, versionId, cause });
    } else if (run.key.source === 'creator') {
      const { service, apiKey } = run.key;
      await deps.refuseCreatorKey(ownerId, { service, apiKey, problem: cause });
    } else {
      await deps.platformKey?.health?.report(cause);
    }
  } catch (error) {
    // The call has its outcome either way; the next failure tries again.
    deps.log.warn({ resourceId, err: error }, 'sales could not be stopped');
  }
}

/** What cannot be seen before a call is found by several: they are refused alike, and the next ones would be too. */
async function pauseAfterStreak(deps: ExecutionDeps, { version, context }: PaidRun, cause: string): Promise<void> {
  if (await isStreak(deps, version, context)) {
    const { resourceId, ownerId, versionId } = version;
    await deps.pauseResource({ resourceId, ownerId, versionId, cause: `${cause} ${AFTER_STREAK}` });
  }
}

/** A call may have been too dear for a key that is good for others. */
async function askProvider(deps: ExecutionDeps, { key, version }: PaidRun): Promise<void> {
  if (key.source === 'creator') {
    deps.checkCreatorKey(version.ownerId, key.service);
  } else if (key.source === 'platform') {
    await deps.platformKey?.health?.check();
  }
}
