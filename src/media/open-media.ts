import type { Database } from '#database/index.ts';
import type { Clock } from '#kit/index.ts';
import { expireImages } from './expire-images.ts';
import { openFileStore } from './file-store.ts';
import type { MediaDeps } from './media-deps.ts';
import type { MediaStore } from './media-store.ts';
import { readImage, type ReadImage } from './read-image.ts';
import type { SignedQuery } from './sign-url.ts';
import { storeMedia, type MediaToStore, type StoredMedia } from './store-media.ts';

interface MediaOptions {
  database: Database;
  /** Where files go, unless a `store` is given. */
  folder: string;
  store?: MediaStore;
  signingKey: Uint8Array;
  publicUrl: string;
  clock: Clock;
  /** How long an image and its URL live; 7 days unless told. */
  retentionDays?: number;
}

export interface Media {
  /** Throws `too_large`, and `unprocessable` for what is no picture, sound or film, or not what is expected. */
  store(media: MediaToStore): Promise<StoredMedia>;
  /** Throws `forbidden` (signature), `gone` (expired or removed). */
  readImage(id: string, query: SignedQuery): Promise<ReadImage>;
  /** Removes what has expired; says how many. Any number of processes may run it at once. */
  expireImages(): Promise<number>;
}

export function openMedia(options: MediaOptions): Media {
  const deps: MediaDeps = {
    database: options.database,
    store: options.store ?? openFileStore(options.folder),
    signingKey: options.signingKey,
    publicUrl: options.publicUrl.replace(/\/+$/, ''),
    clock: options.clock,
    retentionMs: (options.retentionDays ?? 7) * 86_400_000,
  };
  return {
    store: (media) => storeMedia(deps, media),
    readImage: (id, query) => readImage(deps, id, query),
    expireImages: () => expireImages(deps),
  };
}
