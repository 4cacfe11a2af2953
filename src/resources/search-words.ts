import type { Content } from './check-draft.ts';

const MAX_WORDS = 10;

/** What a version is found by. Cut into words here, on both sides, so that searching and indexing agree. */
export function toSearchText(content: Pick<Content, 'name' | 'description' | 'tags' | 'slug'>): string {
  return toWords([content.name, content.description, content.slug, ...content.tags].join(' ')).join(' ');
}

/** A tsquery that asks for every word, each as a beginning; `null` when the text holds none. */
export function toSearchQuery(text: string): string | null {
  const words = toWords(text).slice(0, MAX_WORDS);
  return words.length === 0 ? null : words.map((word) => `${word}:*`).join(' & ');
}

function toWords(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}
