import type { S3 } from '#upstreams/index.ts';
import type { MediaStore } from './media-store.ts';

/**
 * Objects of a bucket under `prefix`, which belongs to this installation alone: what lies there and is not known to its
 * database is removed.
 */
export function openS3Store(s3: S3, prefix: string): MediaStore {
  const start = `${prefix}/`;
  return {
    write: (key, file) => s3.put(start + key, file),
    sizeOf: async (key) => (await s3.head(start + key))?.sizeBytes ?? null,
    read: (key, range, reader) => s3.get(start + key, range, reader),
    remove: (key) => s3.remove(start + key),
    list: async function* () {
      for await (const page of s3.list(start)) {
        yield page.map(({ key, modifiedMs }) => ({ key: key.slice(start.length), modifiedMs }));
      }
    },
  };
}
