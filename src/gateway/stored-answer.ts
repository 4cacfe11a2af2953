import type { Answer, AnswerPart, Evidence, MediaReference, WholeBody } from '#resources/index.ts';
import type { GivenAnswer, LivePart, Receipt } from './call-request.ts';
import { withMedia } from './receipt-media.ts';

type StoredBody =
  | Extract<WholeBody, { type: 'json' }>
  | { type: 'bytes'; base64: string }
  | { type: 'parts'; parts: readonly AnswerPart[] };

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
    body: body.type === 'json' ? body : { type: 'bytes', base64: Buffer.from(body.bytes).toString('base64') },
    isSimulated: evidence.isSimulated,
  };
}

/** An answer that went out in parts, with all of them. */
export function toStoredParts(
  answer: Omit<Answer, 'body'>,
  whole: { parts: readonly AnswerPart[]; evidence: Evidence },
): StoredAnswer {
  const media = whole.parts.flatMap((part) => (part.type === 'media' ? [part.media] : []));
  const body: StoredBody = { type: 'parts', parts: joinDeltas(whole.parts) };
  return { ...answer, body, media: [...answer.media, ...media], isSimulated: whole.evidence.isSimulated };
}

export function toGivenAnswer(stored: StoredAnswer, receipt: Receipt): GivenAnswer {
  const { body, ...answer } = stored;
  return { ...answer, body: toBody(body), isTest: false, receipt: withMedia(receipt, stored.media) };
}

function toBody(body: StoredBody): GivenAnswer['body'] {
  switch (body.type) {
    case 'json':
      return body;
    case 'bytes':
      return { type: 'bytes', bytes: Buffer.from(body.base64, 'base64') };
    case 'parts':
      return { type: 'live', parts: replay(body.parts) };
  }
}

async function* replay(parts: readonly AnswerPart[]): AsyncGenerator<LivePart> {
  yield* parts;
  yield { type: 'done' };
}

/** How the text was cut into pieces is nothing to keep. */
function joinDeltas(parts: readonly AnswerPart[]): AnswerPart[] {
  const joined: AnswerPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.type === 'delta' && last?.type === 'delta') {
      joined[joined.length - 1] = { type: 'delta', text: last.text + part.text };
    } else {
      joined.push(part);
    }
  }
  return joined;
}
