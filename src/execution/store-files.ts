import { Problem } from '#kit/index.ts';
import type { MediaSource } from '#media/index.ts';
import type { Failure, MediaReference, PublishedVersion, RunContext } from '#resources/index.ts';
import type { ExecutionDeps } from './execution-deps.ts';

export type FileFailure = Omit<Failure, 'ok' | 'evidence'>;

interface OfRun {
  version: Pick<PublishedVersion, 'mediaRetentionSeconds' | 'ownerId' | 'resourceId'>;
  context: Pick<RunContext, 'callId'>;
  kind: 'image' | 'audio' | 'video';
}

type StoreDeps = Pick<ExecutionDeps, 'media' | 'log'>;

const words = { image: 'image', audio: 'sound', video: 'film' } as const;

/** Stores what a model made, all of it or nothing that counts: one file that is no good makes the answer a failure. */
export async function storeFiles(
  deps: StoreDeps,
  { files, ...run }: OfRun & { files: readonly MediaSource[] },
): Promise<MediaReference[] | FileFailure> {
  const stored = await Promise.all(files.map((file) => storeFile(deps, { ...run, file })));
  return stored.find(isFailure) ?? stored.flatMap((one) => (isFailure(one) ? [] : [one]));
}

export async function storeFile(
  deps: StoreDeps,
  { version, context, kind, file }: OfRun & { file: MediaSource },
): Promise<MediaReference | FileFailure> {
  const { ownerId, resourceId, mediaRetentionSeconds: retentionSeconds } = version;
  const { callId } = context;
  try {
    return await deps.media.store({ ownerId, callId, retentionSeconds, expect: kind, source: file });
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

export function isFailure(stored: MediaReference | FileFailure): stored is FileFailure {
  return 'problem' in stored;
}

function unusable(kind: OfRun['kind'], message: string): FileFailure {
  return {
    problem: 'upstream_failed',
    cause: `unusable_${kind}: The model made an unusable ${words[kind]}. ${message}`,
  };
}
