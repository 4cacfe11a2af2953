const CHARACTERS_PER_CHUNK = 12;

/** Pieces of whole characters, as the events of a stream carry them. */
export function splitText(text: string, length = CHARACTERS_PER_CHUNK): string[] {
  const characters = Array.from(text);
  return Array.from({ length: Math.ceil(characters.length / length) }, (_, at) =>
    characters.slice(at * length, (at + 1) * length).join(''),
  );
}

/** Shares `total` over `count` parts without losing a token. */
export function shareTokens(total: number, at: number, count: number): number {
  return Math.floor((total * (at + 1)) / count) - Math.floor((total * at) / count);
}
