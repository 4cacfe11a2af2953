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

const BATCH = 500;

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
  await removeFound(deps, { where: 'call_id = $1', value: callId });
}

/** Those of calls that ended elsewhere, once their time is over. */
export async function expireInputs(deps: MediaDeps): Promise<number> {
  return removeFound(deps, { where: 'expires_at <= $1', value: new Date(deps.clock.now()) });
}

interface Found {
  where: 'call_id = $1' | 'expires_at <= $1';
  value: string | Date;
}

/** Files go before their rows: a crash in between leaves rows that the next run takes up again. */
async function removeFound({ database, store }: MediaDeps, { where, value }: Found): Promise<number> {
  let removed = 0;
  for (;;) {
    const select = `SELECT id FROM media_inputs WHERE ${where} LIMIT ${BATCH}`;
    const { rows } = await database.system.query<{ id: string }>(select, [value]);
    const ids = rows.map(({ id }) => id);
    for (const id of ids) {
      await store.remove(id);
    }
    const deleted = await database.system.query('DELETE FROM media_inputs WHERE id = ANY($1)', [ids]);
    removed += deleted.rowCount ?? 0;
    if (ids.length < BATCH) {
      return removed;
    }
  }
}
