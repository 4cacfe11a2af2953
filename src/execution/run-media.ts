import { jsonAnswer, type Evidence, type Outcome } from '#resources/index.ts';
import type { chatEvidence } from './chat-evidence.ts';
import type { z } from 'zod';
import type { ExecutionDeps } from './execution-deps.ts';
import type { Made, MediaRun, RunRoute } from './media-run.ts';
import { findModelId } from './named-model.ts';
import { failBefore, failWith, holdShare } from './run-chat.ts';
import { runEmbedding } from './run-embedding.ts';
import { runImages } from './run-images.ts';
import { runRerank } from './run-rerank.ts';
import { runSpeech } from './run-speech.ts';
import { runTranscription } from './run-transcription.ts';
import { runVideo } from './run-video.ts';

const runs: Readonly<Record<MediaRun['route'], RunRoute>> = {
  images: runImages,
  speech: runSpeech,
  transcription: runTranscription,
  videos: runVideo,
  embeddings: runEmbedding,
  rerank: runRerank,
};

/** Runs a model by a route that is no chat, within what its creator may spend, and makes an outcome of what comes. */
export async function runMedia(deps: ExecutionDeps, run: MediaRun): Promise<Outcome> {
  const held = run.key.source === 'platform' ? await holdShare(deps, run) : null;
  if (held?.ready === false) {
    const { cause, retryAfterSeconds } = held;
    return { ...failBefore(cause), ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  }
  const startedAtMs = deps.clock.now();
  const made = await runs[run.route](deps, run);
  const firstOutputMs = 'json' in made ? deps.clock.now() - startedAtMs : null;
  const evidence = toEvidence(run, made, { firstOutputMs, named: await findModelId(deps, toModel(run, made)) });
  await held?.close(evidence.costUsd);
  if ('failure' in made) {
    return failWith(deps, run, { failure: made.failure, evidence });
  }
  return 'refused' in made
    ? { ok: false, ...made.refused, evidence }
    : { ok: true, answer: jsonAnswer({ ...made.json, model: toModel(run, made) }, made.media), evidence };
}

function toModel({ request }: MediaRun, { facts }: Made): string {
  return facts.model ?? request.model;
}

function toEvidence(
  run: MediaRun,
  made: Made,
  { firstOutputMs, named }: { firstOutputMs: number | null; named: { modelId: string } | null },
): Evidence {
  const { key, route, isDeclared } = run;
  const { facts } = made;
  const own: z.output<typeof chatEvidence> = {
    route,
    model: toModel(run, made),
    ...named,
    provider: facts.provider,
    generationId: facts.generationId,
    inputTokens: facts.inputTokens,
    outputTokens: facts.outputTokens,
    finishReason: null,
    expectedCostUsd: null,
    worstCostUsd: null,
    adjustments: [],
    ...(isDeclared ? { isModelDeclared: true } : {}),
  };
  return {
    attempts: facts.attempts,
    firstOutputMs,
    costUsd: facts.costUsd ?? (isUncharged(made) ? '0' : null),
    keySource: key.source === 'platform' ? 'platform' : 'own',
    isSimulated: facts.isSimulated,
    own,
  };
}

/** What was refused before it was begun costs nothing; of what broke off nobody knows. */
function isUncharged(made: Made): boolean {
  return 'failure' in made && made.failure.kind === 'http_error' && made.mayCost !== true;
}
