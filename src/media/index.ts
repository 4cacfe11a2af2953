/**
 * Binary in and out: receives, sniffs, stores, signs, serves and expires the files of answers and the uploads for calls, and
 * keeps buyers' files for their call.
 * Invariants: what a file is, its bytes say, never a header; nothing is served without a signed URL that has not expired;
 * bytes lie in a MediaStore, once for each content, never in the database and never whole in memory on their way out; what
 * refers to an object is inserted only while it is whole, and an object goes only when nothing refers to it.
 */
export { inspectMedia, measureMedia } from './inspect-media.ts';
export type { InspectedMedia } from './inspect-media.ts';
export { isPngCut } from './is-cut-short.ts';
export type { KeptInput } from './keep-input.ts';
export type { MediaSource } from './receive-file.ts';
export { openMedia } from './open-media.ts';
export type { Media } from './open-media.ts';
export type { MediaKind } from './sniff-head.ts';
