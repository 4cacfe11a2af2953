import { open } from 'node:fs/promises';
import { imageSize } from 'image-size';
import { HEAD_BYTES, sniffHead, type MediaKind, type ToldMedia } from './sniff-head.ts';
import { sniffText, type TextType } from './sniff-text.ts';

export interface SniffedMedia {
  kind: MediaKind;
  contentType: string;
  /** Of pictures only. */
  width: number | null;
  height: number | null;
}

/**
 * What a file is, by its bytes alone; null for everything that is not kept here. Plain text has no signature: it is
 * recognised only where `text` says which form of it is expected.
 */
export async function sniffMedia(path: string, text: TextType | null): Promise<SniffedMedia | null> {
  const head = await readHead(path);
  const told = await sniffHead(head);
  if (told !== null) {
    return told === 'other' ? null : measure(told, head);
  }
  const contentType = text === null ? null : await sniffText(path, text);
  return contentType === null ? null : { kind: 'file', contentType, width: null, height: null };
}

function measure({ kind, contentType }: ToldMedia, head: Uint8Array): SniffedMedia {
  if (kind !== 'image') {
    return { kind, contentType, width: null, height: null };
  }
  const { width, height } = measureImage(head);
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
