/**
 * Binary in and out: sniffs, stores, signs and expires the images of answers, and keeps buyers' files for their call.
 * Invariants: what an image is, its bytes say, never a header; nothing is served without a signed URL that has not
 * expired; bytes lie in a MediaStore, never in the database; a row exists before its file, so that no file is forgotten.
 */
export { inspectMedia } from './inspect-media.ts';
export type { InspectedMedia, MediaKind } from './inspect-media.ts';
export type { KeptInput } from './keep-input.ts';
export { openMedia } from './open-media.ts';
export type { Media } from './open-media.ts';
