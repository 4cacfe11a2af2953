import { buffer } from 'node:stream/consumers';
import { newId, sha256Hex } from '#kit/index.ts';
import { dropReferences } from './drop-references.ts';
import { keepObject } from './keep-object.ts';
import type { MediaDeps } from './media-deps.ts';
import { receiveFile } from './receive-file.ts';

/** A file of a buyer, kept for the runs of one call. Small enough to stand in the call's row. */
export interface KeptInput {
  id: string;
  contentType: string;
  sizeBytes: number;
  /** Hex. */
  sha256: string;
}

interface InputToKeep {
  callId: string;
  contentType: string;
  bytes: Uint8Array;
}

const INSERT = `
  INSERT INTO media_inputs (id, call_id, object_id, content_type, expires_at) VALUES ($1, $2, $3, $4, $5)`;

/** What has been checked is not checked again. */
export async function keepInput(deps: MediaDeps, { callId, contentType, bytes }: InputToKeep): Promise<KeptInput> {
  const receiving = { incoming: deps.incoming, maxBytes: bytes.length, what: 'A file' };
  const file = await receiveFile(receiving, { bytes });
  try {
    const { sizeBytes, sha256 } = file;
    const kept = { id: newId(), contentType, sizeBytes, sha256 };
    const expiresAt = new Date(deps.clock.now() + deps.retentionMs);
    await keepObject(deps, file, async (tx, objectId) => {
      await tx.query(INSERT, [kept.id, callId, objectId, contentType, expiresAt]);
    });
    return kept;
  } finally {
    await file.remove();
  }
}

/** The very bytes that were kept; null once they are gone. */
export async function readInput(
  { database, store }: Pick<MediaDeps, 'database' | 'store'>,
  { id, sha256 }: Pick<KeptInput, 'id' | 'sha256'>,
): Promise<Buffer | null> {
  const { rows } = await database.system.query<{ key: string }>(
    'SELECT o.key FROM media_inputs i JOIN media_objects o ON o.id = i.object_id WHERE i.id = $1',
    [id],
  );
  const found = rows[0] ? await store.read(rows[0].key) : null;
  const bytes = found ? await buffer(found.stream) : null;
  return bytes !== null && sha256Hex(bytes) === sha256 ? bytes : null;
}

/** Of a call that needs them no more. */
export async function forgetInputs(deps: MediaDeps, callId: string): Promise<void> {
  await dropReferences(deps, 'DELETE FROM media_inputs WHERE call_id = $1 RETURNING object_id', [callId]);
}
