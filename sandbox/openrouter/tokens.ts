import { sizeOf } from './file-sizes.ts';
import type { ChatMessage } from './parse-chat.ts';

const TOKENS_PER_MESSAGE = 4;
const TOKENS_PER_REPLY = 3;
/** A tile of a picture, and a frame of a film a second (https://ai.google.dev/gemini-api/docs/tokens). */
const TOKENS_PER_TILE = 258;
const PIXELS_PER_TILE = 768 * 768;
/** Larger pictures are scaled down. */
const MOST_TILES = 16;
/** Bills pictures as thirty times the tokens of its siblings (https://platform.openai.com/docs/guides/images-vision). */
const DENSE_MODEL = 'openai/gpt-4o-mini';
const dense = { base: 2_833, tile: 5_667, pixels: 512 * 512, mostTiles: 8 };
const SOUND_TOKENS_PER_SECOND = 32;
const TOKENS_PER_PAGE = 1_000;
/** Of what does not tell its length. */
const TOKENS_PER_FILE = 1_000;
const LETTERS_PER_SOUND_TOKEN = 1_000;

/** What a prompt holds; the others are parts of `total`, except the numbers of pictures and pages. */
export interface PromptCount {
  total: number;
  image: number;
  audio: number;
  video: number;
  pictures: number;
  /** Of PDFs. */
  pages: number;
}

const none: PromptCount = { total: 0, image: 0, audio: 0, video: 0, pictures: 0, pages: 0 };

/** Four UTF-8 bytes count as one token. */
export function countTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

export function countPromptTokens(messages: readonly ChatMessage[], model: string): number {
  return countPrompt(messages, model).total;
}

/** `model`: its id or slug. Files count by what their bytes tell (`measureFiles`). */
export function countPrompt(messages: readonly ChatMessage[], model: string): PromptCount {
  const parts = messages.flatMap(({ content }) => toParts(content));
  const frame = { ...none, total: TOKENS_PER_REPLY + TOKENS_PER_MESSAGE * messages.length };
  return parts.map((part) => countPart(part, model)).reduce(add, frame);
}

function toParts(content: ChatMessage['content']): Record<string, unknown>[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
}

function countPart(part: Record<string, unknown>, model: string): PromptCount {
  const { pixels, pages, seconds } = sizeOf(part);
  switch (part['type']) {
    case 'text':
      return { ...none, total: countTokens(typeof part['text'] === 'string' ? part['text'] : '') };
    case 'image_url': {
      const image = countImageTokens(pixels ?? 1, model);
      return { ...none, total: image, image, pictures: 1 };
    }
    case 'input_audio': {
      const audio = countSoundTokens(seconds) ?? guessSoundTokens(part);
      return { ...none, total: audio, audio };
    }
    case 'video_url':
    case 'input_video': {
      const video = seconds === null ? TOKENS_PER_FILE : Math.ceil(seconds) * TOKENS_PER_TILE;
      const audio = countSoundTokens(seconds) ?? 0;
      return { ...none, total: video + audio, video, audio };
    }
    case 'file':
      return { ...none, total: pages === null ? TOKENS_PER_FILE : pages * TOKENS_PER_PAGE, pages: pages ?? 1 };
    default:
      return { ...none, total: TOKENS_PER_FILE };
  }
}

function countSoundTokens(seconds: number | null): number | null {
  return seconds === null ? null : Math.ceil(seconds * SOUND_TOKENS_PER_SECOND);
}

function guessSoundTokens(part: Record<string, unknown>): number {
  return Math.ceil(JSON.stringify(part['input_audio'] ?? '').length / LETTERS_PER_SOUND_TOKEN);
}

function countImageTokens(pixels: number, model: string): number {
  return model.startsWith(DENSE_MODEL)
    ? dense.base + dense.tile * Math.min(dense.mostTiles, Math.ceil(pixels / dense.pixels))
    : TOKENS_PER_TILE * Math.min(MOST_TILES, Math.ceil(pixels / PIXELS_PER_TILE));
}

function add(one: PromptCount, other: PromptCount): PromptCount {
  return {
    total: one.total + other.total,
    image: one.image + other.image,
    audio: one.audio + other.audio,
    video: one.video + other.video,
    pictures: one.pictures + other.pictures,
    pages: one.pages + other.pages,
  };
}

/** 1,290 tokens for a picture of 1024 x 1024, in proportion for others. */
export function countPictureTokens(width: number, height: number): number {
  return Math.ceil((width * height * 1_290) / (1_024 * 1_024));
}
