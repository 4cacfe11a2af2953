import { open } from 'node:fs/promises';
import { fileTypeFromFile } from 'file-type';
import { imageSize } from 'image-size';
import { sniffText, type TextType } from './sniff-text.ts';

export type MediaKind = 'image' | 'audio' | 'video' | 'file';

export interface SniffedMedia {
  kind: MediaKind;
  contentType: string;
  /** Of pictures only. */
  width: number | null;
  height: number | null;
}

/** A picture tells its size within this, behind what cameras write before it. */
const HEAD_BYTES = 524_288;

/** What `file-type` calls a file -> what we call it. SVG, HTML and whatever else can hold scripts is not among it. */
const types: Readonly<Record<string, string>> = {
  'image/png': 'image/png',
  'image/apng': 'image/png',
  'image/jpeg': 'image/jpeg',
  'image/webp': 'image/webp',
  'image/gif': 'image/gif',
  'image/avif': 'image/avif',
  'audio/wav': 'audio/wav',
  'audio/mpeg': 'audio/mpeg',
  'audio/ogg': 'audio/ogg',
  'audio/ogg; codecs=opus': 'audio/ogg',
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

/**
 * What a file is, by its bytes alone; null for everything that is not kept here. Plain text has no signature: it is
 * recognised only where `text` says which form of it is expected.
 */
export async function sniffMedia(path: string, text: TextType | null): Promise<SniffedMedia | null> {
  const found = await findType(path);
  if (found !== null) {
    const contentType = Object.hasOwn(types, found) ? types[found] : undefined;
    return contentType === undefined ? null : measure(path, contentType);
  }
  const contentType = text === null ? null : await sniffText(path, text);
  return contentType === null ? null : { kind: 'file', contentType, width: null, height: null };
}

async function findType(path: string): Promise<string | null> {
  try {
    return (await fileTypeFromFile(path))?.mime ?? null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) {
      throw error;
    }
    // Cut or hostile: a beginning that promises more than follows.
    return 'unreadable';
  }
}

async function measure(path: string, contentType: string): Promise<SniffedMedia> {
  const kind = toKind(contentType);
  if (kind !== 'image') {
    return { kind, contentType, width: null, height: null };
  }
  const { width, height } = measureImage(await readHead(path));
  const isMeasured = width > 0 && height > 0 && width <= 0x7fffffff && height <= 0x7fffffff;
  return { kind, contentType, width: isMeasured ? width : null, height: isMeasured ? height : null };
}

function measureImage(head: Uint8Array): { width: number; height: number } {
  try {
    return imageSize(head);
  } catch {
    return { width: 0, height: 0 };
  }
}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function toKind(contentType: string): MediaKind {
  const [start] = contentType.split('/');
  return start === 'image' || start === 'audio' || start === 'video' ? start : 'file';
}
