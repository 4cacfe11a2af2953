import { moduleOf, readTexts, type Sources } from './read-sources.ts';

interface TableRules {
  tableOwners: Readonly<Record<string, readonly string[]>>;
  tableReaders: readonly string[];
}

interface TableUse {
  table: string;
  isWrite: boolean;
}

const name = String.raw`(?:only\s+)?(?:"?\w+"?\.)?"?(\w+)\b"?`;
const writes = [
  `insert\\s+into\\s+${name}`,
  `merge\\s+into\\s+${name}`,
  `update\\s+${name}`,
  `delete\\s+from\\s+${name}`,
];
const definitions = [
  `truncate\\s+(?:table\\s+)?${name}`,
  `(?:alter|drop|create)\\s+table\\s+(?:if\\s+(?:not\\s+)?exists\\s+)?${name}`,
  `copy\\s+${name}`,
];
/** A name with a bracket behind it is a function. */
const reads = [`(?:from|join|using)\\s+${name}(?!\\s*\\()`, `,\\s*${name}(?!\\s*\\()`];
const verbs =
  /^\s*(select|insert\s+into|update\s+\S+\s+set|delete\s+from|with\s+\w+\s+as|truncate\s|(alter|create|drop)\s)/i;
const loudVerbs = /\b(SELECT|INSERT INTO|DELETE FROM|TRUNCATE|FROM|JOIN|UPDATE)(\s|$)/;
const COMPUTED = 'a computed table';
/** A table that is put in, or added behind the end of the text. `FOR UPDATE` and `DO UPDATE` name none. */
const put = String.raw`\b(?:FROM|INTO|(?<!\b(?:FOR|DO|KEY) )UPDATE|JOIN|TRUNCATE|TABLE)\s+(?:ONLY\s+)?(?:"?\w+"?\.)?"?\$\{…\}`;
const added = String.raw`(?:\b(?:FROM|INTO|JOIN|TRUNCATE|TABLE)|^\s*UPDATE)\s*$`;
const computed = new RegExp(`${put}|${added}`);
const computedInStatement = new RegExp(computed, 'i');

/** Is it a statement, or a part of one? Our SQL writes its words in capitals; whole statements are found in any case. */
function isSql(text: string): boolean {
  return verbs.test(text) || loudVerbs.test(text);
}

/** The tables that a text names where SQL expects one, and whether it changes them. */
function findTableUses(text: string, tables: ReadonlySet<string>): TableUse[] {
  if (!isSql(text)) {
    // A table's name alone may end up in SQL; where it is one plain word, it is more likely that word.
    return tables.has(text) && text.includes('_') ? [{ table: text, isWrite: false }] : [];
  }
  const find = (patterns: readonly string[], isWrite: boolean): TableUse[] =>
    patterns
      .flatMap((pattern) => [...text.matchAll(new RegExp(`(?<![\\w.])${pattern}`, 'gi'))])
      .map(([, table = '']) => ({ table, isWrite }))
      .filter(({ table }) => tables.has(table));
  const isUnknown = computed.test(text) || (verbs.test(text) && computedInStatement.test(text));
  const unknown = isUnknown ? [{ table: COMPUTED, isWrite: true }] : [];
  return [...find([...writes, ...definitions], true), ...find(reads, false), ...unknown];
}

/** One line for each use of a table that its owner has not allowed, and for each permission that nobody uses. */
export function checkTables(sources: Sources, rules: TableRules): string[] {
  const owners = Object.entries(rules.tableOwners);
  const ownerOf = new Map(owners.flatMap(([owner, tables]) => tables.map((table) => [table, owner])));
  const allowed = new Set(rules.tableReaders);
  const uses = [...sources].flatMap(([path, text]) => readStatements(path, text).map((said) => ({ path, said })));
  const foreign = uses.flatMap(({ path, said }) =>
    findTableUses(said, new Set(ownerOf.keys()))
      .filter(({ table }) => ownerOf.get(table) !== moduleOf(path))
      .map(({ table, isWrite }) => ({ path, table, isWrite, permissions: toPermissions(path, table, isWrite) })),
  );
  const used = new Set(foreign.flatMap(({ permissions }) => permissions));
  const problems = [
    ...uses.flatMap(({ path, said }) => checkStatement(path, said, rules)),
    ...foreign
      .filter(({ permissions }) => !permissions.some((permission) => allowed.has(permission)))
      .map(
        ({ path, table, isWrite }) =>
          `${path}: ${isWrite ? 'writes' : 'reads'} ${table} of ${ownerOf.get(table) ?? 'nobody knows whom'}`,
      ),
    ...[...allowed].filter((one) => !used.has(one)).map((one) => `table permission "${one}" is not used: take it out`),
  ];
  return [...new Set(problems)];
}

function readStatements(path: string, text: string): string[] {
  const comments = /\/\*[^]*?\*\/|--.*/g;
  return path.endsWith('.test.ts') ? [] : readTexts(path, text).map((said) => said.replaceAll(comments, ' '));
}

/** A whole module may be allowed to read, or to compute the names of its tables; a file alone also to write. */
function toPermissions(path: string, table: string, isWrite: boolean): string[] {
  const isOfModule = !isWrite || table === COMPUTED;
  return [`${path} ${table}`, ...(isOfModule ? [`${moduleOf(path)} ${table}`] : [])];
}

function checkStatement(path: string, said: string, { tableOwners }: TableRules): string[] {
  const isAllowed = !verbs.test(said) || (moduleOf(path) ?? '') in tableOwners;
  return isAllowed ? [] : [`${path}: only modules that own tables speak SQL`];
}

/** The tables that the migrations leave behind, in the order in which they were made. */
export function readMigratedTables(migrations: Sources): string[] {
  const tables = new Set<string>();
  for (const [, text] of [...migrations].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const changes =
      /^\s*(CREATE|DROP|ALTER)\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(\w+(?:,\s*\w+)*)(?:\s+RENAME\s+TO\s+(\w+))?/gm;
    for (const [, change, table = '', renamed] of text.matchAll(changes)) {
      if (change === 'CREATE') {
        tables.add(table);
      } else if (change === 'DROP' || renamed !== undefined) {
        table.split(/,\s*/).forEach((gone) => tables.delete(gone));
      }
      if (renamed !== undefined) {
        tables.add(renamed);
      }
    }
  }
  return [...tables];
}
