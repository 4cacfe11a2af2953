import { newId, sha256Hex } from '#kit/index.ts';
import type { MediaDeps } from './media-deps.ts';

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
  INSERT INTO media_inputs (id, call_id, content_type, bytes, sha256, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`;

/** Row first, so that no file is forgotten. What has been checked is not checked again. */
export async function keepInput(deps: MediaDeps, { callId, contentType, bytes }: InputToKeep): Promise<KeptInput> {
  const kept = { id: newId(), contentType, sizeBytes: bytes.length, sha256: sha256Hex(bytes) };
  const expiresAt = new Date(deps.clock.now() + deps.retentionMs);
  await deps.database.system.query(INSERT, [kept.id, callId, contentType, bytes.length, kept.sha256, expiresAt]);
  await deps.store.write(kept.id, bytes);
  return kept;
}

/** The very bytes that were kept; null once they are gone. */
export async function readInput(
  deps: Pick<MediaDeps, 'store'>,
  { id, sha256 }: Pick<KeptInput, 'id' | 'sha256'>,
): Promise<Buffer | null> {
  const bytes = await deps.store.read(id);
  return bytes !== null && sha256Hex(bytes) === sha256 ? bytes : null;
}

/** Of a call that needs them no more. */
export async function forgetInputs(deps: MediaDeps, callId: string): Promise<void> {
  await removeRows(deps, { where: 'call_id = $1', value: callId });
}

/** Those of calls that ended elsewhere, once their time is over. */
export async function expireInputs(deps: MediaDeps): Promise<number> {
  return removeRows(deps, { where: 'expires_at <= $1', value: new Date(deps.clock.now()) });
}

async function removeRows(
  { database, store }: MediaDeps,
  { where, value }: { where: 'call_id = $1' | 'expires_at <= $1'; value: string | Date },
): Promise<number> {
  const { rows } = await database.system.query<{ id: string }>(`SELECT id FROM media_inputs WHERE ${where}`, [value]);
  for (const { id } of rows) {
    // File first: a row without its file is found again, a file without its row is not.
    await store.remove(id);
    await database.system.query('DELETE FROM media_inputs WHERE id = $1', [id]);
  }
  return rows.length;
}
