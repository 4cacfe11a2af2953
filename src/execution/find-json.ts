import { parseExactJson } from '#kit/index.ts';

const FENCE = '```';

/**
 * The JSON in the text of a model, which may put a mark of byte order, a fence of code or sentences around it; null where there
 * is none. Each way of cutting it out is tried once and takes time in proportion to the text.
 */
export function findJson(text: string): { value: unknown } | null {
  const bare = text.replace(/^\ufeff/, '').trim();
  for (const cut of [bare, ...cutFences(bare), ...cutBraces(bare)]) {
    try {
      return { value: parseExactJson(cut) };
    } catch {
      // The next way may do.
    }
  }
  return null;
}

/** From the first fence to the last, because a text of the JSON may hold one, or else to the next. */
function cutFences(text: string): string[] {
  const opened = text.indexOf(FENCE);
  if (opened === -1) {
    return [];
  }
  const inside = text.slice(opened + FENCE.length).replace(/^[a-z0-9]{1,20}(?=\s)/i, '');
  return [inside.lastIndexOf(FENCE), inside.indexOf(FENCE)]
    .filter((end) => end !== -1)
    .map((end) => inside.slice(0, end));
}

function cutBraces(text: string): string[] {
  const [from, to] = [text.indexOf('{'), text.lastIndexOf('}')];
  return from === -1 || to < from ? [] : [text.slice(from, to + 1)];
}
