import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { parseSync } from 'oxc-parser';

/** Path from the repository's root -> text. */
export type Sources = ReadonlyMap<string, string>;

interface Import {
  from: string;
  specifier: string;
  /** The file it names, when it is ours. */
  target: string | null;
}

const root = join(import.meta.dirname, '../..');

/** Who may import whom: architecture, section 4. A face of every domain is open to `api`; `main.ts` and the lists wire. */
export const allowedImports: Readonly<Record<string, readonly string[]>> = {
  kit: [],
  database: ['kit'],
  upstreams: ['kit'],
  durable: ['kit', 'database'],
  accounts: ['kit', 'database'],
  vault: ['kit', 'database'],
  integrations: ['kit', 'database', 'accounts', 'vault', 'upstreams'],
  models: ['kit', 'database', 'durable', 'upstreams'],
  resources: ['kit', 'database', 'accounts', 'vault', 'integrations', 'models'],
  payments: ['kit', 'database', 'durable', 'vault'],
  media: ['kit', 'database', 'upstreams'],
  execution: ['kit', 'models', 'resources', 'media', 'upstreams'],
  usage: ['kit', 'database', 'durable'],
  gateway: ['kit', 'database', 'durable', 'accounts', 'resources', 'payments', 'execution', 'media', 'usage'],
  workflows: ['kit', 'database', 'durable', 'accounts', 'vault', 'resources', 'payments', 'gateway'],
  listings: ['kit', 'database', 'durable', 'upstreams', 'resources', 'usage'],
  api: [
    'kit',
    'database',
    'durable',
    'accounts',
    'vault',
    'integrations',
    'models',
    'resources',
    'payments',
    'media',
    'execution',
    'usage',
    'gateway',
    'workflows',
    'listings',
  ],
  sdk: [],
  cli: ['sdk', 'kit'],
  sandbox: ['kit', 'models'],
};

/** The only files that wire. */
const wiringFiles = ['main', 'config', 'ground', 'rooms', 'doors', 'checks', 'operations', 'plugins'].map(
  (name) => `src/${name}.ts`,
);
const bannedNames = /^(utils?|helpers?|common|services?|managers?|types|constants)(\.|$)/;
const fileName = /^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/;
const lineLimit = 300;

export async function readSources(folders: readonly string[] = ['src']): Promise<Sources> {
  const sources = new Map<string, string>();
  for (const folder of folders) {
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (entry.isFile() && entry.name.endsWith('.ts')) {
        const path = join(entry.parentPath, entry.name);
        sources.set(path.slice(root.length + 1), await readFile(path, 'utf8'));
      }
    }
  }
  return sources;
}

/** Every rule of the architecture that can be read from the sources; one line per violation. */
export function findViolations(sources: Sources): string[] {
  const imports = [...sources].flatMap(([path, text]) => readImports(path, text));
  return [
    ...imports.flatMap((found) => checkImport(found)),
    ...[...sources].flatMap(([path, text]) => [
      ...checkName(path),
      ...checkSize(path, text),
      ...checkPowers(path, text),
    ]),
    ...findCycles(imports),
  ];
}

function readImports(path: string, text: string): Import[] {
  const { module, errors } = parseSync(path, text);
  if (errors.length > 0) {
    throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  }
  const specifiers = [
    ...module.staticImports.map((found) => found.moduleRequest.value),
    ...module.staticExports.flatMap((found) =>
      found.entries.flatMap((entry) => (entry.moduleRequest ? [entry.moduleRequest.value] : [])),
    ),
    ...module.dynamicImports.map((found) => text.slice(found.moduleRequest.start + 1, found.moduleRequest.end - 1)),
  ];
  return [...new Set(specifiers)].map((specifier) => ({ from: path, specifier, target: resolve(path, specifier) }));
}

function resolve(from: string, specifier: string): string | null {
  if (specifier.startsWith('#')) {
    return `src/${specifier.slice(1)}`;
  }
  return specifier.startsWith('.') ? posix.normalize(posix.join(dirname(from), specifier)) : null;
}

function roomOf(path: string): string | null {
  const [top, room, rest] = path.split('/');
  return top === 'src' && room !== undefined && rest !== undefined ? room : null;
}

function checkImport(found: Import): string[] {
  const { from, target, specifier } = found;
  const room = roomOf(from);
  const isTest = from.endsWith('.test.ts');
  if (target === null) {
    return room === null || isTest ? [] : checkPackage(found, room);
  }
  const targetRoom = roomOf(target);
  if (room === null || isTest || target.endsWith('.json')) {
    return [];
  }
  if (target.startsWith('tests/')) {
    return [`${from}: product code imports a test (${specifier})`];
  }
  if (targetRoom === room) {
    return [];
  }
  if (targetRoom === null) {
    return [`${from}: only main.ts wires; a room does not import ${specifier}`];
  }
  const problems =
    target === `src/${targetRoom}/index.ts`
      ? []
      : [`${from}: other rooms are entered by index.ts, not by ${specifier}`];
  if (!allowedImports[room]?.includes(targetRoom)) {
    problems.push(`${from}: ${room} may not import ${targetRoom} (architecture, section 4)`);
  }
  return problems;
}

const packageOwners: readonly { pattern: RegExp; owners: readonly string[]; why: string }[] = [
  {
    pattern: /^undici$/,
    owners: ['upstreams/', 'payments/settlers/', 'sandbox/'],
    why: 'only upstreams/ and payments/settlers/ open outbound connections',
  },
  {
    pattern: /^pg$/,
    owners: [
      'database/',
      'durable/',
      'payments/',
      'gateway/',
      'usage/',
      'vault/',
      'integrations/',
      'accounts/',
      'models/',
      'resources/',
      'media/',
    ],
    why: 'surfaces do not speak to the database',
  },
  { pattern: /^@dbos-inc\//, owners: ['durable/'], why: 'durable/ hides the engine' },
  { pattern: /^better-auth/, owners: ['accounts/'], why: 'accounts/ hides the library' },
  { pattern: /^hono/, owners: ['api/'], why: 'only surfaces know HTTP frameworks' },
];

function checkPackage(found: Import, room: string): string[] {
  if (found.specifier === 'node:https' || found.specifier === 'node:net' || found.specifier === 'node:tls') {
    return startsWithAny(found.from, ['upstreams/', 'payments/settlers/', 'sandbox/', 'database/', 'cli/'])
      ? []
      : [`${found.from}: ${room} may not open connections (${found.specifier})`];
  }
  return packageOwners
    .filter((rule) => rule.pattern.test(found.specifier) && !startsWithAny(found.from, rule.owners))
    .map((rule) => `${found.from}: ${found.specifier} is not for ${room}: ${rule.why}`);
}

function startsWithAny(path: string, owners: readonly string[]): boolean {
  return owners.some((owner) => path.startsWith(`src/${owner}`));
}

/** What only certain files may do, found in the text without comments and strings. */
function checkPowers(path: string, text: string): string[] {
  if (path.endsWith('.test.ts')) {
    return [];
  }
  const code = stripCommentsAndStrings(path, text);
  const problems: string[] = [];
  if (/\bprocess\.env\b/.test(code) && path !== 'src/config.ts') {
    problems.push(`${path}: only config.ts reads the environment`);
  }
  if (/(?<![.\w])fetch\(/.test(code) && !startsWithAny(path, ['upstreams/', 'payments/settlers/', 'cli/', 'sdk/'])) {
    problems.push(`${path}: only upstreams/ and payments/settlers/ fetch`);
  }
  if (/\bcreate(C|Dec)ipheriv\b/.test(code) && !startsWithAny(path, ['vault/'])) {
    problems.push(`${path}: only vault/ encrypts`);
  }
  if (/\bas any\b|: any\b|<any>/.test(code)) {
    problems.push(`${path}: any`);
  }
  return problems;
}

function stripCommentsAndStrings(path: string, text: string): string {
  const { comments, program } = parseSync(path, text);
  let code = text;
  for (const { start, end } of [...comments, ...findTexts(program)]) {
    code = code.slice(0, start) + ' '.repeat(end - start) + code.slice(end);
  }
  return code;
}

interface Span {
  start: number;
  end: number;
}

/** String literals and the fixed parts of templates. */
function findTexts(node: unknown): Span[] {
  if (typeof node !== 'object' || node === null) {
    return [];
  }
  const { type, value } = node as { type?: unknown; value?: unknown };
  const isText = type === 'TemplateElement' || (type === 'Literal' && typeof value === 'string');
  return isText ? [node as Span] : Object.values(node).flatMap(findTexts);
}

function checkName(path: string): string[] {
  const parts = path.split('/').slice(1);
  const name = parts.at(-1) ?? '';
  const problems = fileName.test(name) ? [] : [`${path}: file names are kebab-case`];
  if (parts.some((part) => bannedNames.test(part))) {
    problems.push(`${path}: a bucket name says nothing; name what it holds`);
  }
  const room = roomOf(path);
  if (room !== null && !(room in allowedImports)) {
    problems.push(`${path}: the architecture has no room "${room}"`);
  }
  if (room === null && !wiringFiles.includes(path.replace(/\.test\.ts$/, '.ts'))) {
    problems.push(`${path}: files at the top of src/ are ${wiringFiles.join(', ')}`);
  }
  return problems;
}

function checkSize(path: string, text: string): string[] {
  const lines = text.split('\n').length - 1;
  return lines > lineLimit && !path.endsWith('.test.ts') ? [`${path}: ${lines} lines; the budget is ${lineLimit}`] : [];
}

/** Import cycles, value or type, between files. */
function findCycles(imports: readonly Import[]): string[] {
  const edges = Map.groupBy(
    imports.filter((found) => found.target !== null),
    (found) => found.from,
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: string[]): void => {
    const at = trail.indexOf(path);
    if (at !== -1) {
      cycles.push(`cycle: ${[...trail.slice(at), path].join(' -> ')}`);
      return;
    }
    if (done.has(path)) {
      return;
    }
    for (const edge of edges.get(path) ?? []) {
      visit(edge.target ?? '', [...trail, path]);
    }
    done.add(path);
  };
  for (const path of edges.keys()) {
    visit(path, []);
  }
  return cycles;
}
