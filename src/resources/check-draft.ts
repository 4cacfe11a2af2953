import type { FieldProblem } from '#kit/index.ts';
import { checkBatch } from './check-batch.ts';
import { checkDuration } from './check-duration.ts';
import { checkConfig, type ConfigCheck } from './check-config.ts';
import { checkFormula } from './check-formula.ts';
import { checkMargin } from './check-margin.ts';
import { checkOffers } from './check-offers.ts';
import { checkParameters } from './check-parameters.ts';
import type { Draft } from './draft.ts';
import { checkMeasuredUse, toUseMeasure } from './measure-use.ts';
import { isMedia } from './media-parameter.ts';
import { listPricedCases } from './priced-cases.ts';
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
  | 'priceFormula'
  | 'useMeasure'
  | 'settlementPoint'
  | 'maxLossUsd'
  | 'timeoutSeconds'
  | 'runsLong'
  | 'batch'
  | 'mediaRetentionSeconds'
  | 'parameters'
  | 'inputSchema'
  | 'config'
>;

/** `problems` keep a draft from being published; `warnings` do not. */
export interface Findings {
  problems: FieldProblem[];
  warnings: FieldProblem[];
}

type DraftCheck = Findings & ({ ok: true; content: Content } | { ok: false });

/** Held in memory and told to whoever asks; the 402 says as much of it as its headers can carry. */
const MAX_PUBLIC_BYTES = 32_000;

interface Owned {
  ownerId: string;
  kind: string;
  draft: Draft;
}

/** Everything that stands in the way of publishing, at once; paths point into the draft. Opens no transaction. */
export async function checkDraft(deps: ResourcesDeps, owned: Owned): Promise<DraftCheck> {
  const { draft, ownerId } = owned;
  const { category } = draft;
  const kind = deps.kinds.find((candidate) => candidate.name === owned.kind);
  const offered = checkOffers(deps, draft);
  const checked = kind ? await checkConfig(kind, draft, ownerId) : kindIsGone;
  const allowsUserMessage = checked.ok && (kind?.allowsUserMessage?.(checked.config) ?? false);
  const inputSchema = toInputSchema(draft.parameters, { allowsUserMessage });
  const problems = [
    ...checkName(draft.name),
    ...checkParameters(draft.parameters),
    ...(kind?.readsFiles === true ? [] : refuseFiles(draft)),
    ...(checked.ok ? [] : checked.fields),
    ...(kind ? checkSettlementPoint(draft.settlementPoint, toSettlementPoints(kind)) : []),
    ...(kind && checked.ok && draft.settlementPoint === 'at_first_output' ? checkJudged(kind, checked.config) : []),
    ...('fields' in offered ? offered.fields : []),
    ...checkFormula(draft),
    ...(category === null ? [{ path: '/category', message: 'Choose a category.' }] : []),
    ...checkRetention(deps, draft),
    ...checkDuration(draft, 'offers' in offered ? offered.offers : null),
    ...checkBatch(draft, kind, 'offers' in offered ? offered.offers : null),
    ...checkSize(draft, inputSchema),
  ];
  if (!kind || !checked.ok || 'fields' in offered) {
    return { ok: false, problems, warnings: [] };
  }
  const { offers } = offered;
  const { config } = checked;
  const { parameters } = draft;
  const maxLossUsd = draft.acceptsLoss?.maxLossUsdPerCall ?? '0';
  const formula = draft.priceFormula ? { priceFormula: draft.priceFormula } : {};
  const cases = await listPricedCases(kind, { config, parameters, ownerId, offers, ...formula });
  problems.push(...checkMeasuredUse(deps, draft, offers));
  problems.push(
    ...(await checkMargin({
      kind,
      config,
      cases,
      maxLossUsd,
      path: draft.priceFormula ? '/priceFormula' : '/priceUsdc',
    })),
  );
  const warnings = (await kind.listWarnings?.(config, { parameters, offers, ownerId })) ?? [];
  if (problems.length > 0 || category === null) {
    return { ok: false, problems, warnings };
  }
  const content: Content = {
    slug: draft.slug,
    kind: owned.kind,
    name: draft.name.trim(),
    description: draft.description,
    category,
    tags: draft.tags,
    priceAtomic: offers[0]?.amountAtomic ?? 0n,
    offers,
    ...formula,
    ...toUseMeasure(draft.measuredUse, offers[0]?.amountAtomic ?? 0n),
    settlementPoint: draft.settlementPoint,
    maxLossUsd,
    timeoutSeconds: draft.timeoutSeconds,
    ...(draft.runsLong ? { runsLong: true } : {}),
    ...(draft.batch ? { batch: draft.batch } : {}),
    mediaRetentionSeconds: draft.mediaRetentionSeconds,
    parameters,
    inputSchema,
    config,
  };
  return { ok: true, content, problems: [], warnings };
}

const kindIsGone: ConfigCheck = {
  ok: false,
  fields: [{ path: '/kind', message: 'This kind of resource is not offered here any more.' }],
};

function checkName(name: string): FieldProblem[] {
  return name.trim() === '' ? [{ path: '/name', message: 'Give the resource a name.' }] : [];
}

function checkSettlementPoint(chosen: SettlementPoint, offered: readonly SettlementPoint[]): FieldProblem[] {
  const message = `With this kind of resource money can move at one of these points: ${offered.join(', ')}.`;
  return offered.includes(chosen) ? [] : [{ path: '/settlementPoint', message }];
}

function refuseFiles({ parameters }: Draft): FieldProblem[] {
  const message = 'This kind of resource takes no files.';
  return parameters.flatMap((parameter, index) =>
    isMedia(parameter) ? [{ path: `/parameters/${index}/type`, message }] : [],
  );
}

function checkRetention({ maxMediaRetentionSeconds: most }: ResourcesDeps, draft: Draft): FieldProblem[] {
  const message = `Files of answers are kept here for at most ${most} seconds.`;
  return most !== undefined && draft.mediaRetentionSeconds > most ? [{ path: '/mediaRetentionSeconds', message }] : [];
}

/** Money does not move for a part of what may turn out not to be what was promised. */
function checkJudged(kind: ResourceKind, config: unknown): FieldProblem[] {
  const schema =
    'An answer with an output schema is judged as a whole, so money cannot move at its first part: choose on_success.';
  const whole =
    'Only whole answers are sold with this configuration (sellsTruncated is false), and whether one is shows at its end: choose on_success.';
  return [
    ...((kind.outputOf?.(config) ?? null) === null ? [] : [{ path: '/settlementPoint', message: schema }]),
    ...(kind.sellsOnlyWhole?.(config) === true ? [{ path: '/settlementPoint', message: whole }] : []),
  ];
}

function checkSize(
  { name, description, tags, parameters }: Draft,
  inputSchema: Content['inputSchema'],
): FieldProblem[] {
  const shown = JSON.stringify([name, description, tags, inputSchema, toInputExample(parameters)]);
  const bytes = Buffer.byteLength(shown);
  const message =
    `What buyers are told (name, description, tags, parameters and their examples) takes ${bytes} bytes of at most ` +
    `${MAX_PUBLIC_BYTES}. Shorten descriptions, options or examples.`;
  return bytes > MAX_PUBLIC_BYTES ? [{ path: '/parameters', message }] : [];
}
