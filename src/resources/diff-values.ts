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
/** Texts that differ in more lines than this are as good as new. */
const MAX_EDITS = 2_000;

/** What has to change in `before` to make it `after`; both are JSON. */
export function diffValues(before: object, after: object): Change[] {
  return microdiff({ ...before }, { ...after }, { cyclesFix: false }).map((difference) => {
    const { type, path } = difference;
    const old = type === 'CREATE' ? {} : { before: difference.oldValue as unknown };
    const made = type === 'REMOVE' ? {} : { after: difference.value as unknown };
    return { op: ops[type], path: toPointer(path), ...old, ...made, ...toText(old.before, made.after) };
  });
}

function toText(before: unknown, after: unknown): { text?: string } {
  if (typeof before !== 'string' || typeof after !== 'string') {
    return {};
  }
  if (Math.max(before.length, after.length) < MIN_TEXT_LENGTH) {
    return {};
  }
  const patch = createTwoFilesPatch('', '', before, after, '', '', { context: 2, maxEditLength: MAX_EDITS });
  const start = patch?.indexOf('@@') ?? -1;
  return patch === undefined || start < 0 ? {} : { text: patch.slice(start) };
}
