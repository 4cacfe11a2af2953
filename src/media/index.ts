/**
 * Binary in and out: sniffs, stores, signs and expires the files of answers.
 * Invariants: what a file is, its bytes say, never a header; nothing is served without a signed URL that has not
 * expired; bytes lie in a MediaStore, never in the database; a row exists before its file, so that no file is forgotten.
 */
export { openMedia } from './open-media.ts';
export type { Media } from './open-media.ts';
