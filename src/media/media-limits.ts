import { Problem } from '#kit/index.ts';
import type { MediaKind } from './sniff-head.ts';

export interface MediaLimits {
  maxBytes: Readonly<Record<MediaKind, number>>;
  /** Width times height of a picture. */
  maxPixels: number;
}

/** What strangers may send before a call. */
export interface UploadLimits {
  /** Of one upload. */
  maxBytes: number;
  /** Of all uploads that are kept or being received at one time; a tenth of it for one sender. */
  totalBytes: number;
  /** Of all uploads of one day (UTC). */
  dailyBytes: number;
  /** From the end of the upload. */
  keptForMs: number;
  /** In which an upload must arrive. */
  receivedWithinMs: number;
}

const MB = 1_000_000;

export const defaultLimits: MediaLimits = {
  maxBytes: { image: 20 * MB, audio: 50 * MB, video: 200 * MB, file: 20 * MB },
  maxPixels: 64_000_000,
};

export const defaultUploads: UploadLimits = {
  maxBytes: 20 * MB,
  totalBytes: 2_000 * MB,
  dailyBytes: 20_000 * MB,
  keptForMs: 3_600_000,
  receivedWithinMs: 60_000,
};

/** `what`: as it begins a sentence. The connection may still hold what is not read any more. */
export function tooLarge(what: string, maxBytes: number): Problem {
  return new Problem('too_large', {
    detail: `${what} may have at most ${maxBytes / MB} MB.`,
    headers: { Connection: 'close' },
  });
}
