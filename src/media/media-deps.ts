import type { Database } from '#database/index.ts';
import type { Clock } from '#kit/index.ts';
import type { MediaStore } from './media-store.ts';

/** What the verbs of this module need. */
export interface MediaDeps {
  database: Database;
  store: MediaStore;
  signingKey: Uint8Array;
  publicUrl: string;
  clock: Clock;
  retentionMs: number;
}
