import { toBase64, toDataUrl } from '#kit/index.ts';
import type { ChatMessage, ContentPart } from './chat.ts';

type MediaPart = Extract<ContentPart, { type: 'media' }>;
type WirePart = Record<string, unknown>;

/** The `format` of sound by its content type, as https://openrouter.ai/docs/features/multimodal/audio names them. */
const audioFormats: Readonly<Record<string, string>> = {
  'audio/wav': 'wav',
  'audio/mpeg': 'mp3',
  'audio/ogg': 'ogg',
  'audio/flac': 'flac',
  'audio/aac': 'aac',
  'audio/mp4': 'm4a',
};

/** Messages in their wire form: text as it is, parts as chat completions write them. */
export function toWireMessages(messages: readonly ChatMessage[]): { role: string; content: string | WirePart[] }[] {
  return messages.map(({ role, content }) => ({
    role,
    content: typeof content === 'string' ? content : content.map(toWirePart),
  }));
}

function toWirePart(part: ContentPart): WirePart {
  if (part.type === 'text') {
    return { type: 'text', text: part.text };
  }
  switch (part.kind) {
    case 'image':
      return { type: 'image_url', image_url: { url: toDataUrl(part.contentType, part.bytes) } };
    case 'audio':
      // Raw base64: sound has no URL on the wire.
      return {
        type: 'input_audio',
        input_audio: { data: toBase64(part.bytes), format: toAudioFormat(part.contentType) },
      };
    case 'video':
      return { type: 'video_url', video_url: { url: toDataUrl(part.contentType, part.bytes) } };
    case 'file':
      return { type: 'file', file: { filename: part.filename, file_data: toDataUrl(part.contentType, part.bytes) } };
  }
}

export function toAudioFormat(contentType: string): string {
  return audioFormats[contentType] ?? contentType.replace(/^audio\//, '');
}

/** Without its files. */
export function toText(content: ChatMessage['content']): string {
  return typeof content === 'string'
    ? content
    : content.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** Everything of messages that may not be quoted back: their texts, and of their files what errors may repeat. */
export function listTexts(messages: readonly ChatMessage[]): string[] {
  return messages.flatMap(({ content }) =>
    typeof content === 'string'
      ? [content]
      : content.flatMap((part) => (part.type === 'text' ? [part.text] : toEcho(part))),
  );
}

/** Errors repeat the beginning of a file, if any of it; longer runs of base64 are never quoted (`quoteUpstream`). */
const ECHOED_BYTES = 600;

function toEcho({ filename, bytes }: MediaPart): string[] {
  return [filename, toBase64(bytes.subarray(0, ECHOED_BYTES))];
}
