import { basename } from 'node:path';
import { parseSync } from 'oxc-parser';
import { readTexts, type Sources } from './read-sources.ts';

/** Beside one of these names, a number of an issue or section can be looked up by everybody. */
const published = /\b(RFC|EIP|ERC|CAIP|x402|JSON Schema)\b|https?:\/\//;
/** What only people who have other documents can look up. */
const elsewhere: readonly { pattern: RegExp; what: string; isPublic?: RegExp }[] = [
  { pattern: /\bissues? #?\d+/i, what: 'an issue', isPublic: published },
  { pattern: /\bsections? \d/i, what: 'a section', isPublic: published },
  { pattern: /\b(the )?seeds(['’]| (say|have|name|use|show|want)\b|\.| and | as )/i, what: 'the seeds' },
  { pattern: /\bresearch\b/i, what: 'notes outside the repository' },
  { pattern: /\.\.\/shared\b|\bdesign document\b|\barchitecture, \b/i, what: 'a document outside the repository' },
];
const decision = /\bdocs\/decisions\/(\d{4})/g;
const file = /(?<![\w@/.*<-])[\w./-]*\w\.(?:test\.)?(?:ts|mjs|sql|sol|sh|css|md)\b(?!\()/g;
/** A file of a package is looked for in the package. */
const packaged = /@[\w-]+\/[\w-]+[^.;]*$/;

/**
 * Comments, and texts of programs, that point at what is not in the repository; one line for each. `paths` are all files
 * of the repository. Files are looked for only when a comment names them: texts may name files of users.
 */
export function findPointers(sources: Sources, paths: readonly string[]): string[] {
  return [...sources].flatMap(([path, text]) => {
    const comments = readComments(path, text);
    const texts = /\.(ts|mjs)$/.test(path) ? readTexts(path, text) : [];
    const found = [
      ...[...comments, ...texts].flatMap(findElsewhere),
      ...comments.flatMap((one) => findMissing(one, paths)),
    ];
    return found.map((what) => `${path}: points at ${what}`);
  });
}

/** Comments of TypeScript and JavaScript, of SQL and of shell scripts; neighbouring lines belong together. */
function readComments(path: string, text: string): string[] {
  if (/\.(ts|mjs)$/.test(path)) {
    return join(
      parseSync(path, text).comments.map(({ start, end }) => ({ start, end })),
      text,
    );
  }
  const line = path.endsWith('.sql') ? /--.*/g : path.endsWith('.sh') ? /(?<!\S)#.*/g : /\/\/.*|\/\*[^]*?\*\//g;
  const spans = [...text.matchAll(line)].map((found) => ({ start: found.index, end: found.index + found[0].length }));
  return join(spans, text);
}

function join(spans: readonly { start: number; end: number }[], text: string): string[] {
  const comments: string[] = [];
  let end = -1;
  for (const span of spans) {
    const said = text
      .slice(span.start, span.end)
      .replace(/^(\/\/|\/\*+|--|#)\s*|\s*\*+\/$|\n\s*\*?/g, ' ')
      .trim();
    const isNext = end !== -1 && text.slice(end, span.start).trim() === '';
    comments.push(isNext ? `${comments.pop()} ${said}` : said);
    ({ end } = span);
  }
  return comments;
}

function findElsewhere(text: string): string[] {
  return elsewhere
    .filter(({ pattern, isPublic }) => pattern.test(text) && !isPublic?.test(text))
    .map(({ pattern, what }) => `${what}: "${pattern.exec(text)?.[0].trim()}"`);
}

function findMissing(comment: string, paths: readonly string[]): string[] {
  const decisions = [...comment.matchAll(decision)].filter(
    ([path]) => !paths.some((known) => known.startsWith(`${path}-`)),
  );
  const files = [...comment.matchAll(file)].filter(
    (found) => !isThere(found[0], paths) && !packaged.test(comment.slice(0, found.index)),
  );
  return [...decisions, ...files].map(([name]) => `a file that is not there: ${name}`);
}

function isThere(name: string, paths: readonly string[]): boolean {
  const wanted = name.replace(/^(\.\.?\/)+/, '');
  return (
    paths.some((path) => path === wanted || path.endsWith(`/${wanted}`)) ||
    paths.some((path) => basename(path) === wanted)
  );
}
