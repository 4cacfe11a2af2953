import type { KeptInput, MediaKind } from '#media/index.ts';

/** What stands in the input of a call in place of a file; its bytes are kept for the runs of the call. */
export interface KeptFile extends KeptInput {
  kind: MediaKind;
}

/** The input schema lets a buyer write text here, so an object is ours. */
export function isKeptFile(value: unknown): value is KeptFile {
  return typeof value === 'object' && value !== null && 'sha256' in value && 'kind' in value;
}

/** What stands there instead where a paid call was sent a file that can never be used. */
export interface UnusableFile {
  unusable: string;
}

export function isUnusable(value: unknown): value is UnusableFile {
  return typeof value === 'object' && value !== null && 'unusable' in value;
}
