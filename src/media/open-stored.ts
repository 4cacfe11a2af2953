import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Problem } from '#kit/index.ts';
import type { MediaDeps } from './media-deps.ts';
import type { ByteRange } from './media-store.ts';
import { isSigned, type SignedQuery } from './sign-url.ts';
import type { MediaKind } from './sniff-head.ts';

export interface OpenedMedia {
  kind: MediaKind;
  contentType: string;
  sizeBytes: number;
  /** Hexadecimal; a strong validator for HTTP caches. */
  sha256: string;
  expiresAt: Date;
  /** Throws `gone` where the bytes are lost or are not those that were stored. */
  assertThere(): Promise<void>;
  /** The same; a whole file whose bytes turn out to be others breaks off before its end. */
  read(range?: ByteRange): Promise<Readable>;
}

interface Row {
  kind: MediaKind;
  content_type: string;
  bytes: number;
  sha256: string;
  expires_at: Date;
  key: string;
}

/** The signature is looked at before anything else, so that ids cannot be probed. Throws `forbidden` and `gone`. */
export async function openStored(deps: MediaDeps, id: string, query: SignedQuery): Promise<OpenedMedia> {
  if (!isSigned(deps.signingKey, id, query)) {
    throw new Problem('forbidden', {
      detail: 'The signature does not fit this address of a file.',
      next: 'Use the whole URL of the answer, unchanged.',
    });
  }
  if (deps.clock.now() >= Number(query.expires) * 1000) {
    throw gone('This address has expired.');
  }
  const { rows } = await deps.database.system.query<Row>(
    `SELECT r.kind, r.content_type, r.bytes, r.sha256, r.expires_at, o.key
       FROM x402_cached_images r JOIN media_objects o ON o.id = r.object_id WHERE r.id = $1`,
    [id],
  );
  const [row] = rows;
  if (!row) {
    throw gone();
  }
  const { kind, content_type: contentType, bytes: sizeBytes, sha256, expires_at: expiresAt, key } = row;
  return {
    kind,
    contentType,
    sizeBytes,
    sha256,
    expiresAt,
    assertThere: async () => {
      if ((await deps.store.sizeOf(key)) !== sizeBytes) {
        throw gone();
      }
    },
    read: async (range) => {
      const found = await deps.store.read(key, range);
      if (found?.totalBytes !== sizeBytes) {
        found?.stream.destroy();
        throw gone();
      }
      return range ? found.stream : Readable.from(verify(found.stream, sha256), { objectMode: false });
    },
  };
}

/** Holds the last chunk back until all of them are known to be what was stored. */
async function* verify(stream: Readable, sha256: string): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let held: Buffer | null = null;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    if (held !== null) {
      yield held;
    }
    held = chunk;
  }
  if (hash.digest('hex') !== sha256) {
    throw new Error('A stored file is not what was stored.');
  }
  if (held !== null) {
    yield held;
  }
}

function gone(detail = 'This file is no longer kept.'): Problem {
  return new Problem('gone', {
    detail,
    next: 'Save files when you receive them; call the resource again for new ones.',
  });
}
