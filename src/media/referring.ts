/** How many rows one statement expires. */
export const BATCH = 500;

const due = `WHERE expires_at <= $1 ORDER BY expires_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`;

interface Referring {
  /** Those that refer to an object `o`. */
  toObject: string;
  /** Whatever refers to one of the objects `$1`. */
  remove: string;
  /** What was over at `$1`, a batch of it; returns the objects. */
  expire: string;
}

/** Every table that refers to objects: files of answers, uploads, and inputs, which as a rule go with their call. */
export const referring: readonly Referring[] = [
  {
    toObject: 'SELECT 1 FROM x402_cached_images r WHERE r.object_id = o.id',
    remove: 'DELETE FROM x402_cached_images WHERE object_id = ANY($1)',
    expire: `DELETE FROM x402_cached_images WHERE id = ANY(ARRAY(SELECT id FROM x402_cached_images ${due})) RETURNING object_id`,
  },
  {
    toObject: 'SELECT 1 FROM media_uploads r WHERE r.object_id = o.id',
    remove: 'DELETE FROM media_uploads WHERE object_id = ANY($1)',
    expire: `DELETE FROM media_uploads WHERE id_hash = ANY(ARRAY(SELECT id_hash FROM media_uploads ${due})) RETURNING object_id`,
  },
  {
    toObject: 'SELECT 1 FROM media_inputs r WHERE r.object_id = o.id',
    remove: 'DELETE FROM media_inputs WHERE object_id = ANY($1)',
    expire: `DELETE FROM media_inputs WHERE id = ANY(ARRAY(SELECT id FROM media_inputs ${due})) RETURNING object_id`,
  },
];

/** Of an object `o`. */
export const isUnreferenced = referring.map(({ toObject }) => `NOT EXISTS (${toObject})`).join(' AND ');
