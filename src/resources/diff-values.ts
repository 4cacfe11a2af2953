import { createTwoFilesPatch } from 'diff';
import microdiff from 'microdiff';
import { z } from 'zod';
import { toPointer } from '#kit/index.ts';

export const change = z.object({
  op: z.enum(['add', 'remove', 'replace']),
  path: z.string().describe('JSON Pointer'),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
  text: z
    .string()
    .optional()
    .describe('Of two longer texts: a unified diff of their lines. Absent where they have too little in common.'),
});

export type Change = z.output<typeof change>;

const ops = { CREATE: 'add', REMOVE: 'remove', CHANGE: 'replace' } as const;
/** Shorter texts are read at a glance. */
const MIN_TEXT_LENGTH = 80;
/** Longer texts, and those that differ in more lines, are as good as new. */
const MAX_TEXT_LENGTH = 100_000;
const MAX_LINES = 2_000;
const MAX_EDITS = 200;
/** Of one comparison. */
const MAX_TEXTS = 10;

/** What has to change in `before` to make it `after`; both are JSON. Without `isBrief` the first longer texts are compared by line. */
export function diffValues(before: object, after: object, { isBrief = false } = {}): Change[] {
  let texts = isBrief ? MAX_TEXTS : 0;
  return microdiff({ ...before }, { ...after }, { cyclesFix: false }).map((difference) => {
    const { type, path } = difference;
    const old = type === 'CREATE' ? {} : { before: difference.oldValue as unknown };
    const made = type === 'REMOVE' ? {} : { after: difference.value as unknown };
    const isCompared = isLongText(old.before) && isLongText(made.after) && texts < MAX_TEXTS;
    texts += Number(isCompared);
    return {
      op: ops[type],
      path: toPointer(path),
      ...old,
      ...made,
      ...(isCompared ? toText(old.before, made.after) : {}),
    };
  });
}

function isLongText(value: unknown): boolean {
  return typeof value === 'string' && value.length >= MIN_TEXT_LENGTH;
}

function toText(before: unknown, after: unknown): { text?: string } {
  if (typeof before !== 'string' || typeof after !== 'string' || isTooLong(before) || isTooLong(after)) {
    return {};
  }
  const patch = createTwoFilesPatch('', '', before, after, '', '', { context: 2, maxEditLength: MAX_EDITS });
  const start = patch?.indexOf('@@') ?? -1;
  return patch === undefined || start < 0 ? {} : { text: patch.slice(start) };
}

function isTooLong(text: string): boolean {
  return text.length > MAX_TEXT_LENGTH || text.split('\n', MAX_LINES + 1).length > MAX_LINES;
}
