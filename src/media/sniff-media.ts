import { sniffImage } from './sniff-image.ts';

export type MediaKind = 'image' | 'audio' | 'video' | 'file';

export interface SniffedMedia {
  kind: MediaKind;
  contentType: string;
  width: number | null;
  height: number | null;
}

/** Brands of ISO base media files (ISO/IEC 14496-12) that hold sound alone. */
const AUDIO_BRANDS: ReadonlySet<string> = new Set(['M4A ', 'M4B ', 'F4A ']);

/** What the bytes are, by the bytes alone; null for everything that is not passed on. */
export function sniffMedia(bytes: Buffer): SniffedMedia | null {
  const image = sniffImage(bytes);
  if (image) {
    return { kind: 'image', ...image };
  }
  const contentType = sniffAudio(bytes) ?? sniffVideo(bytes);
  return contentType === null
    ? null
    : { kind: contentType.startsWith('audio/') ? 'audio' : 'video', contentType, width: null, height: null };
}

function sniffAudio(bytes: Buffer): string | null {
  const start = bytes.toString('latin1', 0, 12);
  if (start.startsWith('RIFF') && start.endsWith('WAVE')) {
    return 'audio/wav';
  }
  if (start.startsWith('OggS')) {
    return 'audio/ogg';
  }
  if (start.startsWith('fLaC')) {
    return 'audio/flac';
  }
  return start.startsWith('ID3') || isMpegFrame(bytes) ? 'audio/mpeg' : null;
}

/** Sync word, layer III, and neither a forbidden bit rate nor a forbidden sampling rate (ISO/IEC 11172-3, 2.4.2.3). */
function isMpegFrame(bytes: Buffer): boolean {
  const [first = 0, second = 0, third = 0] = bytes;
  const isLayer3 = first === 0xff && (second & 0xe0) === 0xe0 && (second & 0x06) === 0x02;
  return isLayer3 && third >> 4 !== 0 && third >> 4 !== 15 && (third & 0x0c) !== 0x0c;
}

function sniffVideo(bytes: Buffer): string | null {
  if (bytes.toString('latin1', 4, 8) === 'ftyp') {
    const brand = bytes.toString('latin1', 8, 12);
    return AUDIO_BRANDS.has(brand) ? 'audio/mp4' : brand === 'qt  ' ? 'video/quicktime' : 'video/mp4';
  }
  return bytes.subarray(0, 4).equals(Buffer.from('1a45dfa3', 'hex')) ? 'video/webm' : null;
}
