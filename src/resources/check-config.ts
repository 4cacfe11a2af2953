import { z } from 'zod';
import { safeParse, explainIssue, toFieldProblems, type FieldProblem } from '#kit/index.ts';
import type { Draft } from './draft.ts';
import type { ResourceKind } from './resource-kind.ts';
import { compileTemplate, toTemplateFieldProblems, type TemplateProblem } from './template.ts';

type Config = Draft['config'];

/** Faults of a template that no parameter could heal. */
const syntaxFaults: ReadonlySet<TemplateProblem['code']> = new Set([
  'too_large',
  'mismatched_tag',
  'unclosed_tag',
  'bad_name',
]);

/** What stands in the config and can be no part of one, and tags that cannot be read. What is missing is no fault yet. */
export function checkConfigShape(kind: ResourceKind, { config, parameters }: Draft): FieldProblem[] {
  const parsed = safeParse(kind.configSchema, config, { error: explainIssue });
  const wrong = parsed.success ? [] : parsed.error.issues.filter((issue) => isGiven(config, issue.path));
  return [...toConfigProblems(wrong), ...checkTemplates(kind, { config, parameters })];
}

function checkTemplates(kind: ResourceKind, { config, parameters }: Pick<Draft, 'config' | 'parameters'>) {
  return (kind.templateFields ?? []).flatMap((field): FieldProblem[] => {
    const text = config[field];
    const compiled = typeof text === 'string' ? compileTemplate(text, parameters) : null;
    const problems = compiled === null || compiled.ok ? [] : compiled.problems;
    const found = problems.filter(({ code }) => syntaxFaults.has(code));
    return toTemplateFieldProblems(found, `/config/${field}`);
  });
}

export type ConfigCheck = { ok: true; config: unknown } | { ok: false; fields: FieldProblem[] };

/** The config as a version holds it, or everything that stands against it: what its schema says and what its kind says. */
export async function checkConfig(kind: ResourceKind, draft: Draft, ownerId: string): Promise<ConfigCheck> {
  const parsed = safeParse(kind.configSchema, draft.config, { error: explainIssue });
  if (parsed.success) {
    const fields = await kind.checkPublishable(parsed.data, draft.parameters, ownerId);
    return fields.length === 0 ? { ok: true, config: parsed.data } : { ok: false, fields };
  }
  const { issues } = parsed.error;
  const rest = await checkRest(kind, { draft, ownerId, faulty: toMembers(issues) });
  return { ok: false, fields: [...toConfigProblems(issues), ...rest] };
}

interface Rest {
  draft: Draft;
  ownerId: string;
  /** Members of the config that do not fit the schema or are missing. */
  faulty: ReadonlySet<string>;
}

/**
 * What the kind says of the parts that fit. It judges whole configs only, so faulty members are left out, or taken from its
 * own example where it needs them; what it says of those, or may say because of them, is not told.
 */
async function checkRest(kind: ResourceKind, { draft, ownerId, faulty }: Rest): Promise<FieldProblem[]> {
  const kept = Object.fromEntries(Object.entries(draft.config).filter(([name]) => !faulty.has(name)));
  const without = safeParse(kind.configSchema, kept);
  const filled = without.success ? new Set<string>() : toMembers(without.error.issues);
  const whole = without.success ? without : safeParse(kind.configSchema, { ...kept, ...pick(kind, filled) });
  if (!whole.success) {
    return [];
  }
  const found = await kind.checkPublishable(whole.data, draft.parameters, ownerId);
  return found.filter(({ path }) => isOfRest(kind, path, { faulty, filled }));
}

function isOfRest(
  { templateFields = [] }: ResourceKind,
  path: string,
  { faulty, filled }: { faulty: ReadonlySet<string>; filled: ReadonlySet<string> },
): boolean {
  const [, root = '', member] = path.split('/');
  if (root === 'parameters') {
    return !templateFields.some((field) => filled.has(field));
  }
  if (root !== 'config' || member === undefined) {
    return true;
  }
  // Other settings may be told only because of an example's model or the like.
  return !faulty.has(member) && (filled.size === 0 || templateFields.includes(member));
}

function pick({ examples }: ResourceKind, names: ReadonlySet<string>): Config {
  return Object.fromEntries(Object.entries(examples[0].config).filter(([name]) => names.has(name)));
}

function toMembers(issues: readonly z.core.$ZodIssue[]): ReadonlySet<string> {
  return new Set(
    issues.flatMap(({ path, ...issue }) =>
      path.length === 0 && 'keys' in issue ? issue.keys : [String(path[0] ?? '')],
    ),
  );
}

function toConfigProblems(issues: z.core.$ZodIssue[]): FieldProblem[] {
  const problems = toFieldProblems(new z.ZodError(issues));
  return problems.map(({ path, message }) => ({ path: `/config${path}`, message }));
}

function isGiven(config: Config, path: readonly PropertyKey[]): boolean {
  const found = path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? (value as Config)[name as string] : undefined),
    config,
  );
  return found !== undefined;
}
