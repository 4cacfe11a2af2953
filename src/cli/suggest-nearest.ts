/** The word that was probably meant: the one with the fewest letters to change, where those are few. */
export function suggestNearest(given: string, words: readonly string[]): string | null {
  const ranked = words.map((word) => ({ word, distance: countChanges(given.toLowerCase(), word.toLowerCase()) }));
  const nearest = ranked.toSorted((a, b) => a.distance - b.distance)[0];
  return nearest && nearest.distance <= Math.max(2, Math.floor(nearest.word.length / 3)) ? nearest.word : null;
}

/** Levenshtein's distance: letters to insert, delete or replace. */
function countChanges(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [row, letter] of Array.from(from).entries()) {
    const line = [row + 1];
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (above[column] ?? 0) + (letter === other ? 0 : 1);
      line.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (line[column] ?? 0) + 1));
    }
    above = line;
  }
  return above.at(-1) ?? 0;
}
