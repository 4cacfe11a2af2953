import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const decisions = readdirSync(join(root, 'docs/decisions')).map((name) => `docs/decisions/${name}`);
const documents = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'docs/names.md',
  ...decisions,
];

const tests = new Set(globSync('{src,sandbox,tests}/**/*.test.ts', { cwd: root }).map((path) => basename(path)));

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** What begins like a path of ours in code marks, links or brackets: `src/kit`, `tests/chaos.test.ts`, (docs/decisions/0006). */
function findPaths(text: string): string[] {
  const marked = [...text.matchAll(/`([^`\n]+)`|\((docs\/[^)\s]+)\)/g)].map(([, code, plain]) => code ?? plain ?? '');
  const ours = /(?<![\w./-])(?:src|sandbox|tests|docs|migrations|scripts|bench|bin|contracts)\/[\w./<>*-]*/g;
  const paths = marked.flatMap((words) => words.match(ours) ?? []);
  const links = [...text.matchAll(/\]\(([^)\s:]+)\)/g)].map(([, link]) => link ?? '');
  const recipes = /[<*]|NNNN/;
  return [...paths, ...links].map((path) => path.replace(/[.,;]$/, '')).filter((path) => !recipes.test(path));
}

function isThere(path: string): boolean {
  return existsSync(join(root, path)) || globSync(`${path}-*.md`, { cwd: root }).length > 0;
}

test.each(documents)('%s names only files that are there', (document) => {
  expect(findPaths(read(document)).filter((path) => !isThere(path))).toEqual([]);
});

test('a missing path is noticed, and a pattern in a recipe is not taken for one', () => {
  const text =
    'See `src/nowhere/x.ts`, `src/kit`, (docs/decisions/0006) and `src/<module>/index.ts`; [map](NOWHERE.md).';
  expect(findPaths(text).filter((path) => !isThere(path))).toEqual(['src/nowhere/x.ts', 'NOWHERE.md']);
});

test('decisions are numbered once', () => {
  const numbers = decisions.map((path) => /\/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1]);
  expect(new Set(numbers).size).toBe(decisions.length);
});

test.each(decisions)('%s is short and names a test that holds it', (path) => {
  const text = read(path);
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
  expect(text).toMatch(/^# \d{4}: /);
  const named = text.match(/[\w.-]+\.test\.ts/g) ?? [];
  expect(named).not.toEqual([]);
  expect(named.filter((name) => !tests.has(name))).toEqual([]);
});

test('every command that a document tells to run exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const told = [...documents, 'docs/configuration.md']
    .flatMap((path) => [...read(path).matchAll(/npm (?:run )?(test|start|(?<=run )[\w:-]+)/g)])
    .map((found) => found[1] ?? '');
  expect(told.length).toBeGreaterThan(8);
  expect([...new Set(told)].filter((name) => !(name in scripts))).toEqual([]);
});
