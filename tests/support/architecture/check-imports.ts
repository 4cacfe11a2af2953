import { COMPUTED_IMPORT, moduleOf, type Import } from './read-sources.ts';

type AllowedImports = Readonly<Record<string, readonly string[]>>;

export interface ImportRules {
  /** Module -> the modules that it imports; no more and no less. */
  imports: AllowedImports;
  packages: readonly PackageRule[];
}

/** What the table of imports does not allow, and what it allows although nobody needs it. */
export function checkImports(imports: readonly Import[], rules: ImportRules): string[] {
  const product = imports.filter(({ from }) => moduleOf(from) !== null && !from.endsWith('.test.ts'));
  return [
    ...product.flatMap((found) => checkImport(found, rules)),
    ...findUnused(product, rules.imports),
    ...findUnusedPackages(product, rules.packages),
  ];
}

/** The file by which a module is entered. */
function toEntry(module: string): string {
  return module === 'sandbox' ? 'sandbox/index.ts' : `src/${module}/index.ts`;
}

function checkImport(found: Import, { imports: allowed, packages }: ImportRules): string[] {
  const { from, target, specifier, isPassedOn } = found;
  const module = moduleOf(from) ?? '';
  if (specifier === COMPUTED_IMPORT) {
    return [`${from}: imports ${COMPUTED_IMPORT}, which nobody can hold against the table`];
  }
  if (target === null) {
    return checkPackage(found, packages);
  }
  const targetModule = moduleOf(target);
  if (target.startsWith('tests/') || target.endsWith('.test.ts')) {
    return [`${from}: product code imports a test (${specifier})`];
  }
  if (target.endsWith('.json') || targetModule === module) {
    return [];
  }
  if (targetModule === null) {
    return [`${from}: only the files at the top of src wire; a module does not import ${specifier}`];
  }
  const problems =
    target === toEntry(targetModule) ? [] : [`${from}: other modules are entered by index.ts, not by ${specifier}`];
  if (isPassedOn) {
    problems.push(`${from}: passes on what ${targetModule} exports; who needs it imports it from there`);
  }
  if (!allowed[module]?.includes(targetModule)) {
    problems.push(`${from}: ${module} may not import ${targetModule}; the table in ARCHITECTURE.md says what it may`);
  }
  return problems;
}

function findUnused(product: readonly Import[], allowed: AllowedImports): string[] {
  const used = new Set(
    product.map(({ from, target }) => `${moduleOf(from)} ${target === null ? '' : moduleOf(target)}`),
  );
  return Object.entries(allowed).flatMap(([module, others]) =>
    others
      .filter((other) => !used.has(`${module} ${other}`))
      .map((other) => `${module} may import ${other} and does not: take the permission out of the table`),
  );
}

export interface PackageRule {
  pattern: RegExp;
  /** Beginnings of paths; each of them imports such a package. */
  owners: readonly string[];
  why: string;
}

/** Who imports packages and parts of Node that open connections or hide behind one module; no more and no less. */
export const packageRules: readonly PackageRule[] = [
  {
    pattern: /^undici$/,
    owners: ['src/upstreams/', 'src/payments/settlers/', 'sandbox/'],
    why: 'only upstreams/ and payments/settlers/ open outbound connections',
  },
  {
    pattern: /^pg$/,
    owners: ['src/database/', 'src/durable/', 'src/payments/', 'src/gateway/'],
    why: 'others are given connections by database/',
  },
  { pattern: /^nodemailer$/, owners: ['src/upstreams/'], why: 'only upstreams/ opens outbound connections' },
  { pattern: /^@dbos-inc\//, owners: ['src/durable/'], why: 'durable/ hides the engine' },
  { pattern: /^better-auth/, owners: ['src/accounts/'], why: 'accounts/ hides the library' },
  { pattern: /^hono/, owners: ['src/api/'], why: 'only surfaces know HTTP frameworks' },
  {
    pattern: /^(node:)?(https|http2|net|tls|dgram)$/,
    owners: ['src/database/', 'src/cli/', 'sandbox/'],
    why: 'it may not open connections',
  },
  { pattern: /^(node:)?http$/, owners: ['src/api/', 'sandbox/'], why: 'only surfaces and the simulator speak HTTP' },
  { pattern: /^(node:)?process$/, owners: [], why: 'only config.ts reads the environment' },
  {
    pattern: /^(node:)?module$/,
    owners: ['src/database/postgres-place.ts', 'sandbox/chain/find-anvil.ts'],
    why: 'what is required is not held against the table',
  },
];

function checkPackage({ from, specifier }: Import, rules: readonly PackageRule[]): string[] {
  return rules
    .filter(({ pattern, owners }) => pattern.test(specifier) && !owners.some((owner) => from.startsWith(owner)))
    .map(({ why }) => `${from}: ${specifier} is not for ${moduleOf(from)}: ${why}`);
}

function findUnusedPackages(product: readonly Import[], rules: readonly PackageRule[]): string[] {
  return rules.flatMap(({ pattern, owners }) =>
    owners
      .filter((owner) => !product.some(({ from, specifier }) => from.startsWith(owner) && pattern.test(specifier)))
      .map((owner) => `${owner} may import ${pattern.source} and does not: take the permission out`),
  );
}
