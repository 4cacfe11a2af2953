import { Problem } from '#kit/index.ts';
import type { MediaSource } from '#media/index.ts';
import type { Failure, MediaReference, PublishedVersion, RunContext } from '#resources/index.ts';
import type { ExecutionDeps } from './execution-deps.ts';

export type FileFailure = Omit<Failure, 'ok' | 'evidence'>;

export interface FilesOfRun {
  version: Pick<PublishedVersion, 'mediaRetentionSeconds' | 'ownerId' | 'resourceId'>;
  context: Pick<RunContext, 'callId'>;
  kind: 'image' | 'audio' | 'video';
  files: readonly MediaSource[];
}

const words = { image: 'image', audio: 'sound', video: 'film' } as const;

/** Stores what a model made, all of it or nothing that counts: one file that is no good makes the answer a failure. */
export async function storeFiles(
  deps: Pick<ExecutionDeps, 'media' | 'log'>,
  { version, context, kind, files }: FilesOfRun,
): Promise<MediaReference[] | FileFailure> {
  const { ownerId, resourceId, mediaRetentionSeconds: retentionSeconds } = version;
  const { callId } = context;
  try {
    const about = { ownerId, callId, retentionSeconds, expect: kind };
    return await Promise.all(files.map((source) => deps.media.store({ ...about, source })));
  } catch (error) {
    if (error instanceof Problem) {
      return unusable(kind, error.message);
    }
    deps.log.warn({ resourceId, callId, err: error }, 'a file of an answer could not be stored');
    return {
      problem: 'unavailable',
      cause: `${kind}_not_stored: The ${words[kind]} could not be stored here.`,
      retryAfterSeconds: 10,
    };
  }
}

function unusable(kind: FilesOfRun['kind'], message: string): FileFailure {
  return {
    problem: 'upstream_failed',
    cause: `unusable_${kind}: The model made an unusable ${words[kind]}. ${message}`,
  };
}
