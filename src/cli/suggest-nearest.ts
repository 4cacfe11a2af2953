import { closest, distance } from 'fastest-levenshtein';

/** The word that was probably meant: the one with the fewest letters to change, where those are few. */
export function suggestNearest(given: string, words: readonly string[]): string | null {
  const asked = given.toLowerCase();
  const nearest = closest(asked, words);
  const isNear = distance(asked, nearest) <= Math.max(2, Math.floor(nearest.length / 3));
  return words.length > 0 && isNear ? nearest : null;
}
