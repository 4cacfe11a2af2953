import type { MediaFacts } from '#upstreams/index.ts';
import type { ExecutionDeps } from './execution-deps.ts';
import { toUsage } from './media-answer.ts';
import { toCall, type MediaRun, type RunRoute } from './media-run.ts';
import { isFailure, storeFile } from './store-files.ts';
import { wrapPcm } from './wrap-pcm.ts';

/** Raw samples become a file that players open. What it did cost is asked for while the file is stored. */
export const runSpeech: RunRoute = async (deps, run) => {
  const { voice, speed, format = 'mp3' } = run.settings.audio ?? {};
  const request = { model: run.request.model, input: run.prompt, voice, speed };
  const asked = { ...request, format: format === 'wav' ? 'pcm' : 'mp3' } as const;
  const result = await deps.openRouterMedia.createSpeech(asked, toCall(run));
  if (!result.ok) {
    return { facts: result, failure: result.failure };
  }
  const { bytes, sampleRate } = result.output;
  const isWrapped = bytes.toString('latin1', 0, 4) === 'RIFF';
  const file = { bytes: format === 'wav' && !isWrapped ? wrapPcm(bytes, sampleRate) : bytes };
  const [sound, costUsd] = await Promise.all([
    storeFile(deps, { ...run, kind: 'audio', file }),
    findCost(deps, run, result),
  ]);
  const facts = { ...result, costUsd };
  if (isFailure(sound)) {
    return { facts, refused: sound };
  }
  const audio = { ...sound };
  return { facts, media: [sound], json: { response: '', audio, media: [audio], usage: toUsage(facts) } };
};

function findCost(
  deps: ExecutionDeps,
  run: MediaRun,
  { costUsd, generationId }: MediaFacts,
): Promise<string | null> | string | null {
  return costUsd ?? (generationId === null ? null : deps.openRouterMedia.findCost(generationId, toCall(run)));
}
