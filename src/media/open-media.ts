import type { Database } from '#database/index.ts';
import type { Clock } from '#kit/index.ts';
import type { MediaKind } from './inspect-media.ts';
import { expireImages } from './expire-images.ts';
import { openFileStore } from './file-store.ts';
import { expireInputs, forgetInputs, keepInput, readInput, type KeptInput } from './keep-input.ts';
import type { MediaDeps } from './media-deps.ts';
import type { MediaStore } from './media-store.ts';
import { readImage, type ReadImage } from './read-image.ts';
import type { SignedQuery } from './sign-url.ts';
import { storeImage, type ImageToStore, type StoredImage } from './store-image.ts';

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
  /** Throws `too_large` over 10 MB and `unprocessable` for what is no PNG, JPEG, WebP or GIF. */
  storeImage(image: ImageToStore): Promise<StoredImage>;
  /** Throws `forbidden` (signature), `gone` (expired or removed). */
  readImage(id: string, query: SignedQuery): Promise<ReadImage>;
  /** A file that was uploaded before the call; null where there is none under this id, or no more. */
  readUpload(id: string): Promise<{ bytes: Buffer; contentType: string; kind: MediaKind } | null>;
  /** Keeps a file of a buyer for the runs of a call. It has no address. */
  keepInput(input: { callId: string; contentType: string; bytes: Uint8Array }): Promise<KeptInput>;
  /** The very bytes that were kept; null once they are gone. */
  readInput(kept: Pick<KeptInput, 'id' | 'sha256'>): Promise<Buffer | null>;
  /** Of a call that needs them no more. */
  forgetInputs(callId: string): Promise<void>;
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
    storeImage: (image) => storeImage(deps, image),
    readImage: (id, query) => readImage(deps, id, query),
    readUpload: async () => null,
    keepInput: (input) => keepInput(deps, input),
    readInput: (kept) => readInput(deps, kept),
    forgetInputs: (callId) => forgetInputs(deps, callId),
    expireImages: async () => (await expireImages(deps)) + (await expireInputs(deps)),
  };
}
