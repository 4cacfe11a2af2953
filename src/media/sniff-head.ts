import { fileTypeFromBuffer } from 'file-type';

export type MediaKind = 'image' | 'audio' | 'video' | 'file';

export interface ToldMedia {
  kind: MediaKind;
  contentType: string;
}

/** A picture tells its size within this, behind what cameras write before it. */
export const HEAD_BYTES = 524_288;
/** Every file tells its type within this; made files can have far more of it looked through. */
const TYPE_BYTES = 65_536;

/** What `file-type` calls a file -> what we call it. SVG, HTML and whatever else can hold scripts is not among it. */
const types: Readonly<Record<string, string>> = {
  'image/png': 'image/png',
  'image/apng': 'image/png',
  'image/jpeg': 'image/jpeg',
  'image/webp': 'image/webp',
  'image/gif': 'image/gif',
  'image/avif': 'image/avif',
  'audio/wav': 'audio/wav',
  'audio/vnd.wave': 'audio/wav',
  'audio/x-wav': 'audio/wav',
  'audio/mpeg': 'audio/mpeg',
  'audio/ogg': 'audio/ogg',
  'audio/ogg; codecs=opus': 'audio/ogg',
  'audio/opus': 'audio/ogg',
  'audio/flac': 'audio/flac',
  'audio/x-flac': 'audio/flac',
  'audio/aac': 'audio/aac',
  'audio/mp4': 'audio/mp4',
  'audio/x-m4a': 'audio/mp4',
  'video/mp4': 'video/mp4',
  'video/x-m4v': 'video/mp4',
  'video/webm': 'video/webm',
  'video/quicktime': 'video/quicktime',
  'application/pdf': 'application/pdf',
};

/** By its first bytes; `other`: it is something, but nothing that is kept here; null: nothing that tells what it is. */
export async function sniffHead(head: Uint8Array): Promise<ToldMedia | 'other' | null> {
  // Cut or hostile: a beginning that promises more than follows.
  const found = await fileTypeFromBuffer(head.subarray(0, TYPE_BYTES)).catch(() => ({ mime: 'unreadable' }));
  if (!found) {
    return null;
  }
  const contentType = Object.hasOwn(types, found.mime) ? types[found.mime] : undefined;
  return contentType === undefined ? 'other' : { kind: toKind(contentType), contentType };
}

function toKind(contentType: string): MediaKind {
  const [start] = contentType.split('/');
  return start === 'image' || start === 'audio' || start === 'video' ? start : 'file';
}
