import { buffer } from 'node:stream/consumers';
import { sha256Hex } from '#kit/index.ts';
import type { MediaDeps } from './media-deps.ts';

/** `tooLarge`: it has more bytes than were asked for, and is not read. */
export type FoundUpload = { bytes: Buffer } | { tooLarge: number };

interface Row {
  key: string;
  sha256: string;
  bytes: string;
}

/** Null where there is no such upload, or where it has expired. */
export async function readUpload(
  { database, store, clock }: MediaDeps,
  id: string,
  maxBytes: number,
): Promise<FoundUpload | null> {
  const { rows } = await database.system.query<Row>(
    `SELECT o.key, o.sha256, o.bytes
       FROM media_uploads u JOIN media_objects o ON o.id = u.object_id WHERE u.id_hash = $1 AND u.expires_at > $2`,
    [sha256Hex(id), new Date(clock.now())],
  );
  const [row] = rows;
  if (row && Number(row.bytes) > maxBytes) {
    return { tooLarge: Number(row.bytes) };
  }
  const found = row ? await store.read(row.key) : null;
  const bytes = found ? await buffer(found.stream) : null;
  return row && bytes && sha256Hex(bytes) === row.sha256 ? { bytes } : null;
}
