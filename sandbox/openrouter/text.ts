import { openRandom } from './seeded-random.ts';

const WORDS_BEHIND_MARKER = 3;

export const SIMULATED_MARK = '[simulated]';

const stopWords = new Set(
  `about above after again also and any are around because been before being below between both but can could did does
  doing down during each few for from give had has have having her here hers him his how into its just less like list
  make many more most must name not now off once one only other our out over own please reply short should some such
  than that the their them then there these they this those through too under until use user very was were what when
  where which while who whom why will with without words would write you your answer describe explain create generate
  tell text poem poet haiku motto slogan headline set three lines line picture image summarise summarize translate rewrite tips steps ideas options reasons examples please using sentence sentences paragraph include assistant helpful`
    .split(/\s+/)
    .filter(Boolean),
);

/**
 * Up to five plain words of a prompt, those behind "about", "on", "for" ... first, then the last ones.
 * Only letters count, and no abbreviations, so that ids, codes and other marks in a creator's template are not echoed.
 */
export function findKeywords(prompt: string): string[] {
  const tokens = prompt.split(/\s+/).map((token) => token.replace(/^[\p{P}\p{S}]+|[\p{P}\p{S}]+$/gu, ''));
  const isWord = (token: string): boolean =>
    /^\p{L}{3,14}$/u.test(token) && !isAllCapitals(token) && !stopWords.has(token.toLowerCase());
  const behindMarker = tokens.flatMap((token, at) =>
    /^(about|on|for|of|in|named|to)$/i.test(token) ? tokens.slice(at + 1, at + 1 + WORDS_BEHIND_MARKER) : [],
  );
  const words = [...behindMarker, ...tokens.toReversed()].filter(isWord).map((word) => word.toLowerCase());
  return [...new Set(words)].slice(0, 5);
}

function isAllCapitals(token: string): boolean {
  return token === token.toUpperCase() && token !== token.toLowerCase();
}

type Slots = (a: string, b: string) => string;

const sentences: [Slots, ...Slots[]] = [
  (a, b) => `The first thing to notice about ${a} is how closely it is tied to ${b}.`,
  (a) => `In practice, ${a} rewards small and regular steps.`,
  (a, b) => `Where ${a} ends and ${b} begins is partly a matter of taste.`,
  (a) => `A useful test is to explain ${a} to somebody who has never heard of it.`,
];

interface Composition {
  /** Same parts, same text. */
  seed: string;
  /** Everything that was asked; asks for a haiku or for prose. */
  task: string;
  /** What the text is about. */
  words: readonly string[];
  tokens: number;
}

/** Three lines for a haiku, one sentence for a motto, else sentences, about `tokens` long; marked as simulated at its beginning. */
export function composeText({ seed, task, words: found, tokens }: Composition): string {
  const words: [string, ...string[]] = [found[0] ?? 'the question', ...found.slice(1)];
  if (/\bhaiku\b/i.test(task)) {
    return `${SIMULATED_MARK} ${capital(words[0])} at first light,\na quiet answer unfolds;\nand the light moves on.`;
  }
  const start = openRandom(seed, 'text').integer(0, sentences.length - 1);
  let text = `${SIMULATED_MARK} ${compose(words, start)}`;
  if (/\b(motto|slogan|headline)\b/i.test(task)) {
    return text;
  }
  for (let count = 1; text.length < tokens * 4; count += 1) {
    text += `${count % 4 === 0 ? '\n\n' : ' '}${compose(words, start + count)}`;
  }
  return text;
}

/** The sentence of a number, about two of the words. */
function compose(words: [string, ...string[]], number: number): string {
  const slots = sentences[number % sentences.length] ?? sentences[0];
  const a = words[number % words.length] ?? words[0];
  const b = words.length > 1 ? words[(number + 1) % words.length] : undefined;
  return capital(slots(a, b ?? 'everything around it'));
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
