import { isObject, toBase64 } from '#kit/index.ts';
import { joinParts } from '#execution/index.ts';
import type { Answer, AnswerPart, Evidence, JsonObject, MediaReference, WholeBody } from '#resources/index.ts';
import type { EventsAsked, GivenAnswer, LiveBody, PlacedPart, Receipt } from './call-request.ts';
import { joinDeltas, listMedia, placeParts, type WholeStream } from './place-parts.ts';
import { withMedia } from './receipt-media.ts';

type StoredBody =
  | Extract<WholeBody, { type: 'json' }>
  | { type: 'bytes'; base64: string }
  /** `run`: of the run that made it, whose stream a reader may stand in. Both absent: kept before there were such streams. */
  | { type: 'parts'; parts: readonly AnswerPart[]; run?: number; json?: JsonObject };

/** An answer without its receipt, as JSON: so it is kept in the row of its call. */
export interface StoredAnswer {
  status: number;
  contentType: string;
  headers: Readonly<Record<string, string>>;
  body: StoredBody;
  media: readonly MediaReference[];
  isSimulated: boolean;
}

export function toStoredAnswer(answer: Answer<WholeBody>, evidence: Evidence): StoredAnswer {
  const { body, ...rest } = answer;
  return {
    ...rest,
    body: body.type === 'json' ? body : { type: 'bytes', base64: toBase64(body.bytes) },
    isSimulated: evidence.isSimulated,
  };
}

/** An answer that went out in parts, with all of them. */
export function toStoredParts(
  answer: Omit<Answer, 'body'>,
  { evidence, ...whole }: WholeStream & { evidence: Evidence },
): StoredAnswer {
  const body: StoredBody = { type: 'parts', ...whole, parts: joinDeltas(whole.parts) };
  return { ...answer, body, media: [...answer.media, ...listMedia(whole.parts)], isSimulated: evidence.isSimulated };
}

export function toGivenAnswer(stored: StoredAnswer, receipt: Receipt, events?: EventsAsked): GivenAnswer {
  const { body, ...answer } = stored;
  const given = { ...answer, isTest: false, receipt: withMedia(receipt, stored.media) };
  switch (body.type) {
    case 'json':
      return { ...given, body };
    case 'bytes':
      return { ...given, body: { type: 'bytes', bytes: Buffer.from(body.base64, 'base64') } };
    case 'parts':
      return events
        ? { ...given, body: toLive(stored, events) }
        : { ...given, ...joinParts(body.parts, body.json), media: stored.media };
  }
}

/** For whoever wants events: an answer of JSON as the stream that it would have been. */
export function toStream(answer: GivenAnswer, events: EventsAsked): GivenAnswer {
  const { body, media } = answer;
  return body.type === 'json' ? { ...answer, body: toLive({ body, media }, events) } : answer;
}

/** What a kept answer is as a stream, or would have been. */
export function toWholeStream({ body, media }: Pick<StoredAnswer, 'body' | 'media'>): WholeStream {
  if (body.type === 'parts') {
    return { run: body.run ?? 1, parts: body.parts, json: body.json ?? {} };
  }
  const { response, usage, media: _, ...rest }: JsonObject = body.type === 'json' ? body.json : {};
  const isText = typeof response === 'string';
  const hasUsage = isObject(usage);
  const parts: AnswerPart[] = [
    ...(isText ? [{ type: 'delta' as const, text: response }] : []),
    ...media.map((file) => ({ type: 'media' as const, media: file })),
    ...(hasUsage ? [{ type: 'usage' as const, usage }] : []),
  ];
  const others = {
    ...(isText || response === undefined ? {} : { response }),
    ...(hasUsage || usage === undefined ? {} : { usage }),
  };
  return { run: 1, parts, json: { ...others, ...rest } };
}

function toLive(kept: Pick<StoredAnswer, 'body' | 'media'>, { after }: EventsAsked): LiveBody {
  async function* replay(): AsyncGenerator<PlacedPart> {
    yield* placeParts(toWholeStream(kept), after);
  }
  return { type: 'live', parts: replay() };
}
