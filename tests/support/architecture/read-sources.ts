import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { parseSync } from 'oxc-parser';

/** Path from the repository's root -> text. */
export type Sources = ReadonlyMap<string, string>;

export interface Import {
  from: string;
  specifier: string;
  /** The file it names, when it is ours. */
  target: string | null;
  /** What is imported is exported again, under whatever name. */
  isPassedOn: boolean;
}

/** Stands for what a dynamic import names when the text does not tell. */
export const COMPUTED_IMPORT = 'a computed name';

const root = join(import.meta.dirname, '../../..');

/** Files below the folders whose name ends in one of the endings. */
export async function readSources(folders: readonly string[], endings: readonly string[] = ['.ts']): Promise<Sources> {
  const sources = new Map<string, string>();
  for (const folder of folders) {
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile() && !path.includes('node_modules') && endings.some((ending) => path.endsWith(ending))) {
        sources.set(path.slice(root.length + 1), await readFile(path, 'utf8'));
      }
    }
  }
  return sources;
}

export function readImports(path: string, text: string): Import[] {
  const { module, program, errors } = parseSync(path, text);
  if (errors.length > 0) {
    throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  }
  const passedOn = new Set(
    module.staticExports.flatMap((found) =>
      found.entries.flatMap((entry) => (entry.moduleRequest ? [entry.moduleRequest.value] : [])),
    ),
  );
  const specifiers = [
    ...module.staticImports.map((found) => found.moduleRequest.value),
    ...passedOn,
    ...module.dynamicImports.map(({ moduleRequest }) => readName(text.slice(moduleRequest.start, moduleRequest.end))),
    ...collect(program, (type) => type === 'TSImportType').map((node) => (node as ImportType).source.value),
  ];
  return [...new Set(specifiers)].map((specifier) => ({
    from: path,
    specifier,
    target: resolve(path, specifier),
    isPassedOn: passedOn.has(specifier),
  }));
}

/** `import('…').Name` in a type. */
interface ImportType {
  source: { value: string };
}

function readName(written: string): string {
  return /^(['"`])([^'"`$]*)\1$/.exec(written)?.[2] ?? COMPUTED_IMPORT;
}

function resolve(from: string, specifier: string): string | null {
  if (specifier.startsWith('#')) {
    return specifier.startsWith('#sandbox/') ? specifier.slice(1) : `src/${specifier.slice(1)}`;
  }
  return specifier.startsWith('.') ? posix.normalize(posix.join(dirname(from), specifier)) : null;
}

/** The module that a file belongs to; null for the files at the top of src and everything elsewhere. */
export function moduleOf(path: string): string | null {
  const [top = '', module, rest] = path.split('/');
  if (top === 'sandbox') {
    return top;
  }
  return top === 'src' && module !== undefined && rest !== undefined ? module : null;
}

export interface Span {
  start: number;
  end: number;
}

/** String literals and the fixed parts of templates. */
export function findTexts(path: string, text: string): Span[] {
  const { program } = parseSync(path, text);
  return collect(program, (type, node) => type === 'TemplateElement' || isString(type, node)).map(
    (node) => node as Span,
  );
}

/** What a string or a whole template says; `${…}` stands for what is put in. */
export function readTexts(path: string, text: string): string[] {
  const { program } = parseSync(path, text);
  const found = collect(program, (type, node) => type === 'TemplateLiteral' || isString(type, node));
  return found.flatMap((node) => (isTemplate(node) ? readTemplate(node) : [(node as { value: string }).value]));
}

interface Template {
  quasis: { value: { cooked: string } }[];
  expressions: unknown[];
}

const isTemplate = (node: object): node is Template => 'quasis' in node;

/** A template's own text, and the texts inside its expressions. */
function readTemplate({ quasis, expressions }: Template): string[] {
  const inner = expressions.flatMap((expression) =>
    collect(expression, (type, node) => type === 'TemplateLiteral' || isString(type, node)),
  );
  return [
    quasis.map(({ value }) => value.cooked).join('${…}'),
    ...inner.flatMap((node) => (isTemplate(node) ? readTemplate(node) : [(node as { value: string }).value])),
  ];
}

function isString(type: unknown, node: object): boolean {
  return type === 'Literal' && 'value' in node && typeof node.value === 'string';
}

/** The outermost nodes that fit. */
function collect(node: unknown, fits: (type: unknown, node: object) => boolean): object[] {
  if (typeof node !== 'object' || node === null) {
    return [];
  }
  const isWanted = fits('type' in node ? node.type : undefined, node);
  return isWanted ? [node] : Object.values(node).flatMap((child) => collect(child, fits));
}
