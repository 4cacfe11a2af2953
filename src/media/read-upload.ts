import { buffer } from 'node:stream/consumers';
import { sha256Hex } from '#kit/index.ts';
import type { MediaDeps } from './media-deps.ts';
import type { MediaKind } from './sniff-media.ts';

export interface ReadUpload {
  bytes: Buffer;
  contentType: string;
  kind: MediaKind;
}

/** Null where there is no such upload, or where it has expired. */
export async function readUpload({ database, store, clock }: MediaDeps, id: string): Promise<ReadUpload | null> {
  const { rows } = await database.system.query<{ content_type: string; kind: MediaKind; key: string; sha256: string }>(
    `SELECT u.content_type, u.kind, o.key, o.sha256
       FROM media_uploads u JOIN media_objects o ON o.id = u.object_id WHERE u.id_hash = $1 AND u.expires_at > $2`,
    [sha256Hex(id), new Date(clock.now())],
  );
  const [row] = rows;
  const found = row ? await store.read(row.key) : null;
  const bytes = found ? await buffer(found.stream) : null;
  return row && bytes && sha256Hex(bytes) === row.sha256
    ? { bytes, contentType: row.content_type, kind: row.kind }
    : null;
}
