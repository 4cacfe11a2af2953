import type { ChatUsage, Citation, FinishReason } from './chat.ts';
import { readCitation } from './read-citation.ts';
import { toFinishReason } from './finish-reasons.ts';
import { toUsageCost } from './true-cost.ts';
import type { ChatEvent, EventMessage, EventUsage } from './parse-event.ts';
import { splitThinking } from './split-thinking.ts';

const MAX_TEXT_BYTES = 1_000_000;
const MAX_IMAGES_BYTES = 20_000_000;
const MAX_IMAGES = 16;
const MAX_CITATIONS = 50;
const MAX_AUDIO_CHARACTERS = 34_000_000;

/** What has arrived of one answer so far. */
export interface Collected {
  text: string;
  /** What of the text nobody has taken yet who passes it on while it comes. */
  newText: string;
  textBytes: number;
  /** Data URLs, each once. */
  images: Set<string>;
  imageBytes: number;
  /** By URL. */
  citations: Map<string, Citation>;
  /** Base64 in the pieces in which it came. */
  audio: string[];
  audioCharacters: number;
  transcript: string;
  generationId: string | null;
  model: string | null;
  provider: string | null;
  finishReason: FinishReason | null;
  usage: ChatUsage | null;
  hasReasoned: boolean;
  hasRefused: boolean;
  hasEvents: boolean;
  /** The first truthy error, as it came. */
  error: unknown;
  isTooLarge: boolean;
}

export function startCollecting(): Collected {
  return {
    text: '',
    newText: '',
    textBytes: 0,
    images: new Set(),
    imageBytes: 0,
    citations: new Map(),
    audio: [],
    audioCharacters: 0,
    transcript: '',
    generationId: null,
    model: null,
    provider: null,
    finishReason: null,
    usage: null,
    hasReasoned: false,
    hasRefused: false,
    hasEvents: false,
    error: undefined,
    isTooLarge: false,
  };
}

export function hasOutput(collected: Collected): boolean {
  return collected.text !== '' || collected.images.size > 0 || collected.audio.length > 0;
}

/** Adds one event (or a whole JSON answer, which is an event whose message stands in `message`). */
export function collectEvent(collected: Collected, event: ChatEvent): void {
  const choice = event.choices?.find((item) => item !== null && (item.index ?? 0) === 0);
  collected.hasEvents = true;
  collected.generationId ??= toLabel(event.id);
  collected.model = toLatest(collected.model, event.model);
  collected.provider = toLatest(collected.provider, event.provider);
  collected.error ||= event.error || choice?.error;
  collected.finishReason = toFinishReason(choice?.finish_reason) ?? collected.finishReason;
  if (event.usage) {
    collected.usage = toUsage(event.usage);
  }
  const message = choice?.delta ?? choice?.message;
  if (message) {
    collectMessage(collected, message);
  }
}

function collectMessage(collected: Collected, message: EventMessage): void {
  collected.hasReasoned ||= message.hasReasoning;
  collected.hasRefused ||= Boolean(message.refusal);
  if (typeof message.content === 'string') {
    addText(collected, message.content);
  } else {
    for (const part of message.content ?? []) {
      collected.hasReasoned ||= part.isReasoning;
      addText(collected, part.isReasoning ? '' : (part.text ?? ''));
      addImage(collected, part.image_url?.url);
    }
  }
  for (const image of message.images ?? []) {
    addImage(collected, image?.image_url.url);
  }
  for (const annotation of message.annotations ?? []) {
    const citation = readCitation(annotation);
    if (citation !== null && collected.citations.size < MAX_CITATIONS) {
      collected.citations.set(citation.url, citation);
    }
  }
  addAudio(collected, message.audio);
}

function addAudio(collected: Collected, audio: EventMessage['audio']): void {
  if (audio?.data) {
    collected.audioCharacters += audio.data.length;
    collected.isTooLarge ||= collected.audioCharacters > MAX_AUDIO_CHARACTERS;
    if (!collected.isTooLarge) {
      collected.audio.push(audio.data);
    }
  }
  const transcript = audio?.transcript ?? '';
  collected.textBytes += Buffer.byteLength(transcript);
  collected.isTooLarge ||= collected.textBytes > MAX_TEXT_BYTES;
  collected.transcript += collected.isTooLarge ? '' : transcript;
}

/** The sound in one piece. Pieces are encoded each by itself, with padding inside, or cut anywhere out of one text. */
export function joinAudio({ audio }: Collected): string {
  const encoded = audio.join('').split(/(?<==)(?=[^=])/);
  return encoded.length === 1
    ? (encoded[0] ?? '')
    : Buffer.concat(encoded.map((part) => Buffer.from(part, 'base64'))).toString('base64');
}

/** At the end of an answer: what a model thought is not part of what it says, although some upstreams leave it there. */
export function takeOffThinking(collected: Collected): void {
  const { answer, hasThought } = splitThinking(collected.text);
  collected.text = answer;
  collected.hasReasoned ||= hasThought;
}

function addText(collected: Collected, text: string): void {
  collected.textBytes += Buffer.byteLength(text);
  if (collected.textBytes > MAX_TEXT_BYTES) {
    collected.isTooLarge = true;
    return;
  }
  collected.text += text;
  collected.newText += text;
}

/** Images count only as data URLs: an address chosen by an upstream is never fetched. */
function addImage(collected: Collected, url: string | null | undefined): void {
  if (!url?.startsWith('data:') || collected.images.has(url)) {
    return;
  }
  collected.imageBytes += Math.floor((url.length - url.indexOf(',') - 1) * 0.75);
  if (collected.imageBytes > MAX_IMAGES_BYTES || collected.images.size >= MAX_IMAGES) {
    collected.isTooLarge = true;
    return;
  }
  collected.images.add(url);
}

function toUsage(usage: EventUsage): ChatUsage {
  return {
    inputTokens: usage.prompt_tokens ?? null,
    outputTokens: usage.completion_tokens ?? null,
    reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? null,
    costUsd: toUsageCost(usage),
  };
}

/** Each event of a stream says the same names again. */
function toLatest(known: string | null, told: string | null): string | null {
  return told === known ? known : (toLabel(told) ?? known);
}

/** A short name of an upstream (model, provider, id) without anything that could not stand in a log line. */
export function toLabel(value: string | null | undefined): string | null {
  return value && value.length <= 200 && /^[\p{L}\p{N}][\p{L}\p{N} ._:/@~+()'&-]*$/u.test(value) ? value : null;
}
