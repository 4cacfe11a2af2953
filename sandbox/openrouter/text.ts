import { openRandom } from './seeded-random.ts';
import type { SeededRandom } from './seeded-random.ts';

const WORDS_BEHIND_MARKER = 3;

export const SIMULATED_MARK = '[simulated]';

const stopWords = new Set(
  `about above after again also and any are around because been before being below between both but can could did does
  doing down during each few for from give had has have having her here hers him his how into its just less like list
  make many more most must name not now off once one only other our out over own please reply short should some such
  than that the their them then there these they this those through too under until use user very was were what when
  where which while who whom why will with without words would write you your answer describe explain create generate
  tell text poem poet haiku set three lines line picture image summarise summarize translate rewrite tips steps ideas options reasons examples please using sentence sentences paragraph include assistant helpful`
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
  (a) => `Most people meet ${a} in passing and only later see what it asks of them.`,
  (a, b) => `Between ${a} and ${b} there is a quiet trade: one gives shape, the other gives time.`,
  (a) => `In practice, ${a} rewards small and regular steps more than one grand effort.`,
  (a, b) => `If ${b} matters to you, start with ${a} and measure what changes.`,
  (a) => `A useful test is to explain ${a} to somebody who has never heard of it.`,
  (a, b) => `Where ${a} ends and ${b} begins is partly a matter of taste.`,
  (a) => `There are good reasons to be careful with ${a}, and better ones to try it.`,
  (a, b) => `Compare ${a} with ${b} for a week, and keep notes on what surprised you.`,
  (a) => `Nothing about ${a} has to be decided today.`,
  (a, b) => `The history of ${a} is also the history of ${b}, told from the other side.`,
  (a) => `Three habits help with ${a}: look closely, ask early, and throw away what does not work.`,
  (a, b) => `Experts disagree on ${b}, yet they agree that ${a} comes first.`,
  (a) => `What looks like luck in ${a} is usually preparation.`,
  (a, b) => `Set a limit for ${a} before you begin, or ${b} will set it for you.`,
  (a) => `The simplest version of ${a} is often the one that lasts.`,
];

const haikuEnds: [[string, string], ...[string, string][]] = [
  ['a quiet answer unfolds', 'and the light moves on'],
  ['nothing asked and nothing owed', 'only wind replies'],
  ['the old path forgets its name', 'snow begins again'],
  ['a small bell counts the morning', 'then the river speaks'],
];

interface Composition {
  /** Same parts, same text. */
  seed: string;
  /** Everything that was asked; decides the form. */
  task: string;
  /** What the text is about. */
  words: readonly string[];
  tokens: number;
}

/** Text that looks like an answer to the task, about `tokens` long, marked as simulated at its beginning. */
export function composeText({ seed, task, words: found, tokens }: Composition): string {
  const random = openRandom(seed, 'text');
  const words: [string, ...string[]] = [found[0] ?? 'the question', ...found.slice(1)];
  const other = words[1] ?? 'the rest';
  const ask = task.toLowerCase();
  if (/\bhaiku\b/.test(ask)) {
    const [middle, end] = random.pick(haikuEnds);
    return `${SIMULATED_MARK} ${capital(words[0])} at first light,\n${middle}${found[1] ? ` — ${other}` : ''};\n${end}.`;
  }
  if (/\b(title|headline|slogan|tagline|one word|one line)\b/.test(ask)) {
    return `${SIMULATED_MARK} ${capital(words[0])}, in the light of ${other}`;
  }
  const body = isList(ask)
    ? composeList(random, words, Number(/\b([2-9]|1\d|20)\b/.exec(ask)?.[1] ?? 5))
    : composeParagraphs(random, words, tokens);
  const title = /\b(markdown|heading|article|report|blog)\b/.test(ask) ? `# ${capital(words[0])}\n\n` : '';
  return `${SIMULATED_MARK} ${title}${body}`;
}

function isList(ask: string): boolean {
  return /\b(list|bullets?|ideas|steps|tips|options|reasons|examples)\b/.test(ask);
}

function composeList(random: SeededRandom, words: [string, ...string[]], count: number): string {
  const next = openSentences(random, words);
  const items = Array.from({ length: count }, (_, at) => `${at + 1}. ${next()}`);
  return `Here is what to know about ${words[0]}:\n\n${items.join('\n')}`;
}

function composeParagraphs(random: SeededRandom, words: [string, ...string[]], tokens: number): string {
  const next = openSentences(random, words);
  let text = next();
  for (let count = 1; text.length < tokens * 4; count += 1) {
    text += `${count % 4 === 0 ? '\n\n' : ' '}${next()}`;
  }
  return text;
}

/** Sentences about the words; none comes again before all have been used. */
function openSentences(random: SeededRandom, words: [string, ...string[]]): () => string {
  const start = random.integer(0, sentences.length - 1);
  const steps: [number, ...number[]] = [3, 5, 7, 9, 11];
  const step = random.pick(steps);
  let count = 0;
  return () => {
    const slots = sentences[(start + count * step) % sentences.length] ?? sentences[0];
    const a = words[count % words.length] ?? words[0];
    const b = words.length > 1 ? words[(count + 1) % words.length] : undefined;
    count += 1;
    const sentence = slots(a, b ?? 'everything around it');
    return capital(sentence);
  };
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
