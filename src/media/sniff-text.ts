import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

const textTypes = ['text/plain', 'text/csv', 'application/json'] as const;

/** What plain text is said to be. */
export type TextType = (typeof textTypes)[number];

/** Reading JSON holds the process up. */
export const MAX_JSON_BYTES = 500_000;
/** None of these stands in text; tabs and ends of lines do. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000e-\u001f\u007f]/;
/** How a page, a picture or a document of mark-up begins. */
const MARKUP = /^\uFEFF?\s*<[!?a-z]/i;

/** `contentType` as a header says it; null where it names no plain text. */
export function toTextType(contentType: string | undefined): TextType | null {
  const [name = ''] = (contentType ?? '').split(';');
  return textTypes.find((type) => type === name.trim().toLowerCase()) ?? null;
}

/** The type if the file is text in UTF-8 that may be of it; mark-up is none. What is no JSON is not passed on as JSON. */
export async function sniffText(path: string, type: TextType): Promise<TextType | null> {
  if (!(await isText(path))) {
    return null;
  }
  return type === 'application/json' && !(await isJson(path)) ? null : type;
}

async function isText(path: string): Promise<boolean> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let start = '';
  try {
    for await (const chunk of createReadStream(path)) {
      const text = decoder.decode(chunk as Buffer, { stream: true });
      start = start.length < 1_000 ? (start + text).slice(0, 1_000) : start;
      if (CONTROL.test(text)) {
        return false;
      }
    }
    decoder.decode();
    return !MARKUP.test(start);
  } catch (error) {
    if (error instanceof TypeError) {
      return false;
    }
    throw error;
  }
}

async function isJson(path: string): Promise<boolean> {
  if ((await stat(path)).size > MAX_JSON_BYTES) {
    return false;
  }
  try {
    JSON.parse(await readFile(path, 'utf8'));
    return true;
  } catch {
    return false;
  }
}
