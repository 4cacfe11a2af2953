import { z } from 'zod';
import { safeParse, toLine } from '#kit/index.ts';
import type { Citation } from './chat.ts';

const MAX_URL = 2_000;
const MAX_TITLE = 300;

const annotation = z.object({
  type: z.literal('url_citation'),
  url_citation: z.object({ url: z.string().max(MAX_URL), title: z.string().nullish().catch(null) }),
});

/**
 * A `url_citation` of an answer, as it may be shown: pages are chosen by whoever writes them, so only https addresses
 * without credentials pass, and titles lose line breaks and control characters. Null for everything else.
 */
export function readCitation(value: unknown): Citation | null {
  const parsed = safeParse(annotation, value);
  const text = parsed.data?.url_citation.url ?? '';
  if (!parsed.success || !URL.canParse(text)) {
    return null;
  }
  const url = new URL(text);
  const isPlain = url.protocol === 'https:' && url.username === '' && url.password === '';
  return isPlain ? { url: url.href, title: toTitle(parsed.data.url_citation.title) } : null;
}

function toTitle(title: string | null | undefined): string | null {
  return toLine(title ?? '').slice(0, MAX_TITLE) || null;
}
