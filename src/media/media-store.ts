import type { Readable } from 'node:stream';

/** A file of this process that lies on its disk, whole. */
export interface LocalFile {
  path: string;
  sizeBytes: number;
  /** Hexadecimal. */
  sha256: string;
}

/** Offsets of bytes, both included. */
export interface ByteRange {
  start: number;
  end: number;
}

interface StoredBytes {
  /** Of the whole object, also where a range is read. */
  totalBytes: number;
  /** Read as fast as its reader takes it; to be destroyed by a reader who stops early. */
  stream: Readable;
}

interface ListedObject {
  key: string;
  modifiedMs: number;
}

/** Where bytes lie, by key: hexadecimal digits and hyphens, at least five of them, never written twice. */
export interface MediaStore {
  /** All or nothing: nobody ever reads half of it. The file stays where it is. */
  write(key: string, file: LocalFile): Promise<void>;
  /** Null when there is nothing under this key. */
  sizeOf(key: string): Promise<number | null>;
  /**
   * Null when there is nothing under this key. The range must lie within the object. What is read for a client may take
   * as long as the client likes: it takes up nothing that other requests need, and throws `unavailable` beyond what there is.
   */
  read(key: string, range?: ByteRange, reader?: 'client'): Promise<StoredBytes | null>;
  /** No error when there is nothing. */
  remove(key: string): Promise<void>;
  /** All keys in ascending order of their characters, page by page. */
  list(): AsyncGenerator<readonly ListedObject[]>;
}
