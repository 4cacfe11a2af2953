import { isProblemCode, parseExactJson, problemKinds, toBase64, type ProblemCode } from '#kit/index.ts';
import { jsonAnswer, type Answer, type JsonObject, type MediaReference, type WholeBody } from '#resources/index.ts';
import type { ItemRow } from './batch-rows.ts';

/** What of an item's answer is kept, all items together and each for itself. */
const MOST_BYTES = 32 * 1024 * 1024;
const MOST_ITEM_BYTES = 256 * 1024;

/** What of one item's answer is kept where there are so many of them. */
export function itemLimitBytes(count: number): number {
  return Math.min(MOST_ITEM_BYTES, Math.floor(MOST_BYTES / Math.max(1, count)));
}

/** An item's answer as it is kept and given: what the kind says of it, its bytes, and its files as references. */
export interface ItemAnswer {
  output?: JsonObject;
  bytes?: { contentType: string; base64: string };
  media?: { [Name in keyof MediaReference]: MediaReference[Name] }[];
}

export function toItemAnswer({ body, contentType, media }: Answer<WholeBody>): ItemAnswer {
  const made = body.type === 'json' ? { output: body.json } : { bytes: { contentType, base64: toBase64(body.bytes) } };
  return { ...made, ...(media.length > 0 ? { media: [...media] } : {}) };
}

/** What a buyer gets of many inputs: one item for each, in their order. */
export function toBatchAnswer(rows: readonly ItemRow[]): Answer<WholeBody> {
  const media: MediaReference[] = [];
  const items = rows.map((row): JsonObject => {
    if (row.answer === null) {
      return { index: row.item_index, ok: false, problem: toItemProblem(row.problem) };
    }
    const answer = parseExactJson(row.answer) as JsonObject & ItemAnswer;
    media.push(...(answer.media ?? []));
    return { index: row.item_index, ok: true, ...answer };
  });
  const succeeded = rows.filter(({ answer }) => answer !== null).length;
  return jsonAnswer({ items, succeeded, failed: rows.length - succeeded }, media);
}

const refused = 'It is not run again with the same input: ask the creator of the resource for a refund of it.';
const owed = 'Send the same payment again: what has failed is run again without a charge.';

const problems: Partial<Record<ProblemCode, { detail: string; next: string }>> = {
  content_refused: { detail: 'The input was refused by the model or its moderation.', next: refused },
  unprocessable: {
    detail: 'The resource cannot carry out this input, or its answer is longer than is kept of one among so many.',
    next: refused,
  },
  upstream_timeout: { detail: 'There was no answer in time.', next: owed },
};

function toItemProblem(problem: string | null): JsonObject {
  const code = problem !== null && isProblemCode(problem) ? problem : 'upstream_failed';
  const { detail, next } = problems[code] ?? { detail: 'Resource unavailable.', next: owed };
  return { code, title: problemKinds[code].title, detail, next };
}

/** For the 402 and the documents. */
export const batchOutput: { outputSchema: JsonObject; outputExample: JsonObject } = {
  outputSchema: {
    type: 'object',
    properties: {
      items: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            index: { type: 'integer', description: 'The place of the input in `inputs`, from 0 on.' },
            ok: { type: 'boolean' },
            output: { type: 'object', description: 'What a call with this input alone would answer.' },
            bytes: { type: 'object', description: 'The same where that is no JSON: contentType and base64.' },
            media: { type: 'array', description: 'Its files.', items: { type: 'object' } },
            problem: { type: 'object', description: 'Why there is no answer: code, title, detail, next.' },
          },
          required: ['index', 'ok'],
        },
      },
      succeeded: { type: 'integer' },
      failed: { type: 'integer', description: 'Owed: the same payment has them run again without a charge.' },
    },
    required: ['items', 'succeeded', 'failed'],
  },
  outputExample: { items: [{ index: 0, ok: true, output: {} }], succeeded: 1, failed: 0 },
};
