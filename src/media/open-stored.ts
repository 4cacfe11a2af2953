import { createHash } from 'node:crypto';
import { pipeline, Transform, type Readable } from 'node:stream';
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
      const found = await deps.store.read(key, range, 'client');
      if (found?.totalBytes !== sizeBytes) {
        found?.stream.destroy();
        throw gone();
      }
      return passOn(found.stream, range ? null : sha256);
    },
  };
}

/** Who takes nothing for so long is gone, or wants to hold what others need. */
const STALLED_MS = 60_000;

/**
 * Holds the last chunk back until all of them are known to be what was stored. Whichever end is destroyed, the other is,
 * too; so are both where nothing moves any more.
 */
function passOn(from: Readable, sha256: string | null): Readable {
  const hash = createHash('sha256');
  let held: Buffer | null = null;
  const to = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      stalled.refresh();
      if (sha256 === null) {
        next(null, chunk);
        return;
      }
      hash.update(chunk);
      const before = held;
      held = chunk;
      next(null, before);
    },
    flush(next) {
      if (sha256 !== null && hash.digest('hex') !== sha256) {
        next(new Error('A stored file is not what was stored.'));
        return;
      }
      next(null, held);
    },
  });
  const stalled = setTimeout(() => to.destroy(new Error('A reader of a stored file has stood still.')), STALLED_MS);
  stalled.unref();
  pipeline(from, to, () => clearTimeout(stalled));
  return to;
}

function gone(detail = 'This file is no longer kept.'): Problem {
  return new Problem('gone', {
    detail,
    next: 'Save files when you receive them; call the resource again for new ones.',
  });
}
