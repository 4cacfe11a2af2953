import type { GivenAnswer, PlacedPart } from '#gateway/index.ts';
import { Problem } from '#kit/index.ts';
import type { JsonObject, MediaReference } from '#resources/index.ts';

/** An answer of any kind, as far as OpenAI's forms have room for it. */
export interface SaidAnswer {
  text: string;
  isCut: boolean;
  images: readonly MediaReference[];
  /** The pictures included. */
  media: readonly MediaReference[];
  citations: readonly { url: string; title: string | null }[];
  /** Null where the upstream does not tell. */
  usage: { input: number; output: number; total: number } | null;
  /** Which model answered. */
  model: string | null;
  /** What has no place of its own there, such as a vector or a ranking. */
  more: JsonObject;
}

type Whole = Exclude<GivenAnswer['body'], { type: 'live' }>;

export function readAnswer(
  { contentType, media }: Pick<GivenAnswer, 'contentType' | 'media'>,
  body: Whole,
): SaidAnswer {
  return body.type === 'json' ? readJson(body.json, media) : readBytes(contentType, body.bytes);
}

function readJson(json: JsonObject, media: readonly MediaReference[]): SaidAnswer {
  const { response, output, citations = [], images: _, audio: _sound, video: _film, media: _all, ...rest } = json;
  const { model = null, finishReason, usage, ...more } = rest;
  const told = typeof response === 'string' ? response : '';
  const text = output === undefined ? told : JSON.stringify(output);
  return {
    text: text === '' ? toOtherText(more, media) : text,
    isCut: finishReason === 'length',
    images: media.filter(({ kind }) => kind === 'image'),
    media,
    citations: citations as unknown as SaidAnswer['citations'],
    usage: toUsage(usage),
    model: typeof model === 'string' ? model : null,
    more,
  };
}

/** Clients of chats show text: a vector is told as JSON, and what is no picture by its links. */
function toOtherText(more: JsonObject, media: readonly MediaReference[]): string {
  return Object.keys(more).length > 0
    ? JSON.stringify(more)
    : media.flatMap(({ kind, url }) => (kind === 'image' ? [] : [url])).join('\n');
}

const TEXT_TYPE = /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml)\b)/;

function readBytes(contentType: string, bytes: Uint8Array): SaidAnswer {
  const buffer = Buffer.from(bytes);
  const [type = ''] = contentType.split(';');
  const text = TEXT_TYPE.test(contentType) ? buffer.toString() : `data:${type};base64,${buffer.toString('base64')}`;
  return { ...nothing, text };
}

const nothing: SaidAnswer = {
  text: '',
  isCut: false,
  images: [],
  media: [],
  citations: [],
  usage: null,
  model: null,
  more: {},
};

/** How an answer in parts ended. `null`: it did not, and the client has to ask for it again. */
export type Gathered = { said: SaidAnswer } | { problem: Problem } | null;

/** Reads an answer in parts to its end; each piece of text is given on as it comes, and waited for. */
export async function gatherAnswer(
  parts: AsyncIterable<PlacedPart>,
  onText: (text: string) => Promise<void>,
): Promise<Gathered> {
  let response = '';
  let usage: JsonObject = {};
  for await (const { part } of parts) {
    if (part.type === 'begin' && response !== '') {
      return { problem: begunAnew() };
    }
    if (part.type === 'error') {
      return { problem: part.problem };
    }
    if (part.type === 'done') {
      return { said: readJson({ response, usage, ...part.json }, part.media) };
    }
    if (part.type === 'usage') {
      ({ usage } = part);
    } else if (part.type === 'delta') {
      response += part.text;
      await onText(part.text);
    }
  }
  return null;
}

/** A client of OpenAI cannot take back what it has read. */
function begunAnew(): Problem {
  return new Problem('answer_owed', {
    detail: 'The run that made this answer was lost and another one has begun it anew.',
    next: 'Send the same payment again: it brings the whole answer without a new charge.',
  });
}

/** Null unless all of it is known: a zero would be read as one. */
function toUsage(usage: unknown): SaidAnswer['usage'] {
  const { input_tokens: input, output_tokens: output } = (usage ?? {}) as JsonObject;
  return typeof input === 'number' && typeof output === 'number' ? { input, output, total: input + output } : null;
}
