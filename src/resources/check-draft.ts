import { explainIssue, toFieldProblems, type FieldProblem } from '#kit/index.ts';
import { checkOffers } from './check-offers.ts';
import { checkParameters } from './check-parameters.ts';
import type { Draft } from './draft.ts';
import { toSettlementPoints, type PublishedVersion, type ResourceKind, type SettlementPoint } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { toInputExample, toInputSchema } from './to-input-schema.ts';

/** What a version takes from its draft. */
export type Content = Pick<
  PublishedVersion,
  | 'slug'
  | 'kind'
  | 'name'
  | 'description'
  | 'category'
  | 'tags'
  | 'priceAtomic'
  | 'offers'
  | 'settlementPoint'
  | 'timeoutSeconds'
  | 'parameters'
  | 'inputSchema'
  | 'config'
>;

type CheckResult = { ok: true; content: Content } | { ok: false; fields: FieldProblem[] };
/** Held in memory and told to whoever asks; the 402 says as much of it as its headers can carry. */
const MAX_PUBLIC_BYTES = 32_000;

interface Owned {
  ownerId: string;
  kind: string;
  draft: Draft;
}

/** Everything that stands in the way of publishing, at once; paths point into the draft. Opens no transaction. */
export async function checkDraft(deps: ResourcesDeps, owned: Owned): Promise<CheckResult> {
  const { draft } = owned;
  const { category } = draft;
  const offered = checkOffers(deps, draft);
  const kind = await checkKind(deps, owned);
  const parameters = checkParameters(draft.parameters);
  const fields = [
    ...checkName(draft.name),
    ...parameters,
    ...('fields' in kind ? kind.fields : []),
    ...('fields' in offered ? offered.fields : []),
    ...(category === null ? [{ path: '/category', message: 'Choose a category.' }] : []),
  ];
  if ('fields' in offered || category === null || 'fields' in kind) {
    return { ok: false, fields };
  }
  const content: Content = {
    slug: draft.slug,
    kind: owned.kind,
    name: draft.name.trim(),
    description: draft.description,
    category,
    tags: draft.tags,
    priceAtomic: offered.offers[0]?.amountAtomic ?? 0n,
    offers: offered.offers,
    timeoutSeconds: draft.timeoutSeconds,
    parameters: draft.parameters,
    ...kind,
  };
  const all = [...fields, ...checkSize(content)];
  return all.length === 0 ? { ok: true, content } : { ok: false, fields: all };
}

function checkName(name: string): FieldProblem[] {
  return name.trim() === '' ? [{ path: '/name', message: 'Give the resource a name.' }] : [];
}

type KindCheck = Pick<Content, 'config' | 'inputSchema' | 'settlementPoint'> | { fields: FieldProblem[] };

async function checkKind(deps: ResourcesDeps, { ownerId, kind: name, draft }: Owned): Promise<KindCheck> {
  const kind = deps.kinds.find((candidate) => candidate.name === name);
  if (!kind) {
    return { fields: [{ path: '/kind', message: 'This kind of resource is not offered here any more.' }] };
  }
  const parsed = kind.configSchema.safeParse(draft.config, { error: explainIssue });
  if (!parsed.success) {
    return { fields: toFieldProblems(parsed.error).map(({ path, message }) => ({ path: `/config${path}`, message })) };
  }
  const config = parsed.data;
  const { settlementPoint, parameters } = draft;
  const fields = [
    ...(await kind.checkPublishable(config, parameters, ownerId)),
    ...checkSettlementPoint(settlementPoint, toSettlementPoints(kind)),
  ];
  return fields.length > 0 ? { fields } : { config, settlementPoint, inputSchema: toSchema(kind, config, draft) };
}

function checkSettlementPoint(chosen: SettlementPoint, offered: readonly SettlementPoint[]): FieldProblem[] {
  const message = `With this kind of resource money can move at one of these points: ${offered.join(', ')}.`;
  return offered.includes(chosen) ? [] : [{ path: '/settlementPoint', message }];
}

function toSchema(kind: ResourceKind, config: unknown, { parameters }: Draft): Content['inputSchema'] {
  return toInputSchema(parameters, { allowsUserMessage: kind.allowsUserMessage?.(config) ?? false });
}

function checkSize({ name, description, tags, parameters, inputSchema }: Content): FieldProblem[] {
  const shown = JSON.stringify([name, description, tags, inputSchema, toInputExample(parameters)]);
  const bytes = Buffer.byteLength(shown);
  const message =
    `What buyers are told (name, description, tags, parameters and their examples) takes ${bytes} bytes of at most ` +
    `${MAX_PUBLIC_BYTES}. Shorten descriptions, options or examples.`;
  return bytes > MAX_PUBLIC_BYTES ? [{ path: '/parameters', message }] : [];
}
