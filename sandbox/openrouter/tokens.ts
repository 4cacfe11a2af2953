import type { ChatMessage } from './parse-chat.ts';

const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_REPLY = 3;
const TOKENS_PER_IMAGE = 258;
const TOKENS_PER_FILE = 1_000;
const BYTES_PER_AUDIO_TOKEN = 1_000;

/** Four UTF-8 bytes count as one token. */
export function countTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

export function countPromptTokens(messages: readonly ChatMessage[]): number {
  return messages.reduce(
    (sum, message) => sum + TOKENS_PER_MESSAGE + countContentTokens(message.content),
    TOKENS_PER_REPLY,
  );
}

function countContentTokens(content: ChatMessage['content']): number {
  if (content === null || content === undefined) {
    return 0;
  }
  if (typeof content === 'string') {
    return countTokens(content);
  }
  return content.reduce((sum, part) => sum + countPartTokens(part), 0);
}

function countPartTokens(part: Record<string, unknown>): number {
  switch (part['type']) {
    case 'text':
      return countTokens(typeof part['text'] === 'string' ? part['text'] : '');
    case 'image_url':
      return TOKENS_PER_IMAGE;
    case 'input_audio':
      return Math.ceil(JSON.stringify(part['input_audio'] ?? '').length / BYTES_PER_AUDIO_TOKEN);
    default:
      return TOKENS_PER_FILE;
  }
}

/** What of a prompt is sound. */
export function countAudioTokens(messages: readonly ChatMessage[]): number {
  return messages
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .filter((part) => part.type === 'input_audio')
    .reduce((sum, part) => sum + countPartTokens(part), 0);
}

/** 1,290 tokens for a picture of 1024 x 1024, in proportion for others. */
export function countPictureTokens(width: number, height: number): number {
  return Math.ceil((width * height * 1_290) / (1_024 * 1_024));
}
