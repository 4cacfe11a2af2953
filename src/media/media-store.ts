/** Where bytes lie, by id. */
export interface MediaStore {
  /** All or nothing: nobody ever reads half of it. */
  write(id: string, bytes: Uint8Array): Promise<void>;
  /** Null when there is nothing under this id. */
  read(id: string): Promise<Buffer | null>;
  /** No error when there is nothing. */
  remove(id: string): Promise<void>;
  /** Clears away what writes that were killed before `beforeMs` have left. */
  sweep(beforeMs: number): Promise<void>;
}
