import { z } from 'zod';
import type { MediaResult, VideoJob } from '#upstreams/index.ts';
import type { ExecutionDeps } from './execution-deps.ts';
import { toUsage } from './media-answer.ts';
import { toCall, type Made, type MediaRun, type RunRoute } from './media-run.ts';
import { listSent } from './picture-inputs.ts';
import { isFailure, storeFile } from './store-files.ts';

const checkpoint = z.object({ videoJob: z.string() });

/**
 * Orders a film, waits until it is made and fetches it. The job's id is kept before anything else is done, so that a run
 * that is begun again after a crash waits for the same job: two jobs would be billed.
 */
export const runVideo: RunRoute = async (deps, run) => {
  const begun = await begin(deps, run);
  if ('failure' in begun) {
    return begun;
  }
  const ended = await deps.openRouterMedia.awaitVideo(begun.jobId, {
    ...toCall(run),
    onProgress: ({ status }) => run.context.report?.({ note: status === 'pending' ? 'waiting' : 'being made' }),
  });
  if (!ended.ok) {
    return { facts: ended, failure: ended.failure, mayCost: true };
  }
  return ended.output.status === 'completed' ? fetchFilm(deps, run, ended) : failJob(ended);
};

async function begin(
  deps: ExecutionDeps,
  run: MediaRun,
): Promise<{ jobId: string } | Extract<Made, { failure: unknown }>> {
  const { context, settings, request, prompt } = run;
  const known = checkpoint.safeParse(await context.checkpoint?.load()).data;
  if (known) {
    return { jobId: known.videoJob };
  }
  const { durationSeconds, resolution, aspectRatio, size, seed, sound: generateAudio } = settings.video ?? {};
  const sent = listSent(run);
  const frames = sent.flatMap(({ use, ...picture }) => (use === 'reference' ? [] : [{ ...picture, type: use }]));
  const references = sent.filter(({ use }) => use === 'reference');
  const asked = {
    model: request.model,
    prompt,
    durationSeconds,
    resolution,
    aspectRatio,
    size,
    seed,
    generateAudio,
    ...(frames.length > 0 ? { frames } : {}),
    ...(references.length > 0 ? { references } : {}),
  };
  const result = await deps.openRouterMedia.beginVideo(asked, toCall(run));
  if (!result.ok) {
    return { facts: result, failure: result.failure };
  }
  await context.checkpoint?.save({ videoJob: result.output.id });
  return { jobId: result.output.id };
}

type Ended = Extract<MediaResult<VideoJob>, { ok: true }>;

/** Jobs that made nothing are not charged: https://openrouter.ai/docs/features/multimodal/video */
function failJob(ended: Ended): Made {
  const { status, error } = ended.output;
  const message = error ?? `The job is ${status}.`;
  const failure = { kind: 'job_failed', status: null, message, errorType: null, limitSource: null } as const;
  return { facts: { ...ended, costUsd: ended.costUsd ?? '0' }, failure: { ...failure, retryAfterSeconds: null } };
}

async function fetchFilm(deps: ExecutionDeps, run: MediaRun, ended: Ended): Promise<Made> {
  const opened = await deps.openRouterMedia.openVideo(ended.output.id, toCall(run));
  if (!opened.ok) {
    return { facts: { ...opened, costUsd: ended.costUsd }, failure: opened.failure, mayCost: true };
  }
  const film = await storeFile(deps, { ...run, kind: 'video', file: { stream: opened.output } });
  if (isFailure(film)) {
    return { facts: ended, refused: film };
  }
  const video = { ...film };
  return { facts: ended, media: [film], json: { response: '', video, media: [video], usage: toUsage(ended) } };
}
