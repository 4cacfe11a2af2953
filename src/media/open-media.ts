import { join } from 'node:path';
import type { Database } from '#database/index.ts';
import { sha256Hex, type Clock, type Log } from '#kit/index.ts';
import type { S3 } from '#upstreams/index.ts';
import { expireMedia } from './expire-media.ts';
import { openFolderStore } from './folder-store.ts';
import { forgetInputs, keepInput, readInput, type KeptInput } from './keep-input.ts';
import type { MediaDeps } from './media-deps.ts';
import { defaultLimits, defaultUploads, type MediaLimits, type UploadLimits } from './media-limits.ts';
import type { MediaStore } from './media-store.ts';
import { openStored, type OpenedMedia } from './open-stored.ts';
import { readUpload, type FoundUpload } from './read-upload.ts';
import { ABANDONED_MS, sweepIncoming } from './receive-file.ts';
import { openS3Store } from './s3-store.ts';
import type { SignedQuery } from './sign-url.ts';
import { storeMedia, type MediaToStore, type StoredMedia } from './store-media.ts';
import { sweepMedia } from './sweep-media.ts';
import { takeUpload, type SentUpload, type TakenUpload } from './take-upload.ts';

/** How long a file and its URL live where nobody says otherwise. */
const USUAL_RETENTION_MS = 7 * 86_400_000;

interface MediaOptions {
  database: Database;
  /** Of this process; files go there, too, unless an object store is given. */
  folder: string;
  s3?: S3 | null;
  /** Instead of either. */
  store?: MediaStore;
  signingKey: Uint8Array;
  publicUrl: string;
  clock: Clock;
  log?: Log;
  limits?: { maxBytes?: Partial<MediaLimits['maxBytes']>; maxPixels?: number };
  uploads?: Partial<UploadLimits>;
}

export interface Media {
  /** Throws `too_large`, and `unprocessable` for what the bytes do not show to be media of the kind that is expected, to its end. */
  store(media: MediaToStore): Promise<StoredMedia>;
  /** Throws `forbidden` (signature) and `gone` (expired or removed). */
  open(id: string, query: SignedQuery): Promise<OpenedMedia>;
  /** Throws `too_large`, `rate_limited`, `unprocessable` and `invalid_input`. */
  takeUpload(sent: SentUpload): Promise<TakenUpload>;
  /** Null where there is no such upload, or where it has expired; one with more bytes is not read. */
  readUpload(id: string, maxBytes: number): Promise<FoundUpload | null>;
  /** Keeps a file of a buyer for the runs of a call. It has no address. */
  keepInput(input: { callId: string; contentType: string; bytes: Uint8Array }): Promise<KeptInput>;
  /** The very bytes that were kept; null once they are gone. */
  readInput(kept: Pick<KeptInput, 'id' | 'sha256'>): Promise<Buffer | null>;
  /** Of a call that needs them no more. */
  forgetInputs(callId: string): Promise<void>;
  /** Removes what has expired; says how many. Any number of processes may run it at once. */
  expire(): Promise<number>;
  /** Compares store and database, and removes what is in one of them only. Any number of processes may run it at once. */
  sweep(): Promise<{ orphans: number; lost: number }>;
}

export function openMedia(options: MediaOptions): Media {
  const { folder, signingKey } = options;
  const deps: MediaDeps = {
    database: options.database,
    store: options.store ?? openStore(options),
    incoming: join(folder, 'incoming'),
    signingKey,
    publicUrl: options.publicUrl.replace(/\/+$/, ''),
    clock: options.clock,
    log: options.log,
    retentionMs: USUAL_RETENTION_MS,
    limits: toLimits(options.limits),
    uploads: { ...defaultUploads, ...options.uploads },
  };
  const tidy = openTidying(deps);
  return {
    store: (media) => {
      tidy();
      return storeMedia(deps, media);
    },
    open: (id, query) => openStored(deps, id, query),
    takeUpload: (sent) => {
      tidy();
      return takeUpload(deps, sent);
    },
    readUpload: (id, maxBytes) => readUpload(deps, id, maxBytes),
    keepInput: (input) => {
      tidy();
      return keepInput(deps, input);
    },
    readInput: (kept) => readInput(deps, kept),
    forgetInputs: (callId) => forgetInputs(deps, callId),
    expire: () => expireMedia(deps),
    sweep: () => sweepMedia(deps),
  };
}

function openStore({ s3, folder, signingKey }: MediaOptions): MediaStore {
  return s3 ? openS3Store(s3, toPrefix(signingKey)) : openFolderStore(folder);
}

/**
 * The sweep runs in one of the processes, and what a killed process was receiving lies in its own folder: each looks after
 * that one itself, once an hour while it is used.
 */
function openTidying({ incoming, clock }: MediaDeps): () => void {
  let nextMs = 0;
  return () => {
    const nowMs = clock.now();
    if (nowMs >= nextMs) {
      nextMs = nowMs + ABANDONED_MS;
      void sweepIncoming(incoming, nowMs - ABANDONED_MS);
    }
  };
}

function toLimits(given: MediaOptions['limits'] = {}): MediaLimits {
  const maxBytes = { ...defaultLimits.maxBytes, ...given.maxBytes };
  return { maxBytes, maxPixels: given.maxPixels ?? defaultLimits.maxPixels };
}

/** All processes on one database have the same key; installations that share a bucket do not. */
function toPrefix(signingKey: Uint8Array): string {
  return `farebox-${sha256Hex(Buffer.concat([Buffer.from('media prefix\n'), signingKey])).slice(0, 16)}`;
}
