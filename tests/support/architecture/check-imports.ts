import { moduleOf, type Import } from './read-sources.ts';

export type AllowedImports = Readonly<Record<string, readonly string[]>>;

/** What the table of imports does not allow, and what it allows although nobody needs it. */
export function checkImports(imports: readonly Import[], allowed: AllowedImports): string[] {
  const product = imports.filter(({ from }) => moduleOf(from) !== null && !from.endsWith('.test.ts'));
  return [...product.flatMap((found) => checkImport(found, allowed)), ...findUnused(product, allowed)];
}

/** The file by which a module is entered. */
function toFace(module: string): string {
  return module === 'sandbox' ? 'sandbox/index.ts' : `src/${module}/index.ts`;
}

function checkImport(found: Import, allowed: AllowedImports): string[] {
  const { from, target, specifier } = found;
  const module = moduleOf(from) ?? '';
  if (target === null) {
    return checkPackage(found, module);
  }
  const targetModule = moduleOf(target);
  if (target.endsWith('.json') || targetModule === module) {
    return [];
  }
  if (target.startsWith('tests/')) {
    return [`${from}: product code imports a test (${specifier})`];
  }
  if (targetModule === null) {
    return [`${from}: only the files at the top of src wire; a module does not import ${specifier}`];
  }
  const problems =
    target === toFace(targetModule) ? [] : [`${from}: other modules are entered by index.ts, not by ${specifier}`];
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

const packageOwners: readonly { pattern: RegExp; owners: readonly string[]; why: string }[] = [
  {
    pattern: /^undici$/,
    owners: ['src/upstreams/', 'src/payments/settlers/', 'sandbox/'],
    why: 'only upstreams/ and payments/settlers/ open outbound connections',
  },
  {
    pattern: /^pg$/,
    owners: [
      'src/database/',
      'src/durable/',
      'src/payments/',
      'src/gateway/',
      'src/usage/',
      'src/vault/',
      'src/accounts/',
      'src/models/',
      'src/resources/',
      'src/media/',
    ],
    why: 'surfaces do not speak to the database',
  },
  { pattern: /^@dbos-inc\//, owners: ['src/durable/'], why: 'durable/ hides the engine' },
  { pattern: /^better-auth/, owners: ['src/accounts/'], why: 'accounts/ hides the library' },
  { pattern: /^hono/, owners: ['src/api/'], why: 'only surfaces know HTTP frameworks' },
  {
    pattern: /^node:(https|net|tls)$/,
    owners: ['src/upstreams/', 'src/payments/settlers/', 'src/database/', 'src/cli/', 'sandbox/'],
    why: 'it may not open connections',
  },
];

function checkPackage({ from, specifier }: Import, module: string): string[] {
  return packageOwners
    .filter(({ pattern, owners }) => pattern.test(specifier) && !owners.some((owner) => from.startsWith(owner)))
    .map(({ why }) => `${from}: ${specifier} is not for ${module}: ${why}`);
}
