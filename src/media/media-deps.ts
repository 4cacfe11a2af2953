import type { Database } from '#database/index.ts';
import type { Clock, Log } from '#kit/index.ts';
import type { MediaLimits, UploadLimits } from './media-limits.ts';
import type { MediaStore } from './media-store.ts';

/** What the verbs of this module need. */
export interface MediaDeps {
  database: Database;
  store: MediaStore;
  /** Folder of this process for what is being received; on the disk of the folder store, where that is used. */
  incoming: string;
  signingKey: Uint8Array;
  publicUrl: string;
  clock: Clock;
  log: Log | undefined;
  retentionMs: number;
  limits: MediaLimits;
  uploads: UploadLimits;
}
