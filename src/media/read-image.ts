import { Problem, sha256Hex } from '#kit/index.ts';
import type { MediaDeps } from './media-deps.ts';
import { isSigned, type SignedQuery } from './sign-url.ts';

export interface ReadImage {
  bytes: Buffer;
  contentType: string;
  /** Also a strong validator for HTTP caches. */
  sha256: string;
  expiresAt: Date;
}

interface Row {
  content_type: string;
  sha256: string;
  expires_at: Date;
}

/** The signature is looked at before anything else, so that ids cannot be probed. */
export async function readImage(deps: MediaDeps, id: string, query: SignedQuery): Promise<ReadImage> {
  if (!isSigned(deps.signingKey, id, query)) {
    throw new Problem('forbidden', {
      detail: 'The signature does not fit this image address.',
      next: 'Use the whole URL of the answer, unchanged.',
    });
  }
  if (deps.clock.now() >= Number(query.expires) * 1000) {
    throw gone('This image address has expired.');
  }
  const { rows } = await deps.database.system.query<Row>(
    'SELECT content_type, sha256, expires_at FROM x402_cached_images WHERE id = $1',
    [id],
  );
  const row = rows[0];
  const bytes = row ? await deps.store.read(id) : null;
  if (!row || !bytes || sha256Hex(bytes) !== row.sha256) {
    throw gone('This image is no longer kept.');
  }
  return { bytes, contentType: row.content_type, sha256: row.sha256, expiresAt: row.expires_at };
}

function gone(detail: string): Problem {
  return new Problem('gone', {
    detail,
    next: 'Save images when you receive them; call the resource again for a new one.',
  });
}
