import { findUsdc, type FieldProblem, type User } from '#kit/index.ts';
import { checkDraft, type Content, type Findings } from './check-draft.ts';
import type { Draft } from './draft.ts';
import { toUseMeasure } from './measure-use.ts';
import { findOwn, notFound } from './own-resource.ts';
import type { PublishedVersion, Readiness, ResourceKind } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { toInputSchema } from './to-input-schema.ts';
import type { ResourceRow } from './tables.ts';
import { withoutCode } from './without-code.ts';

/** The version of a run of a draft, in the usage log. */
const DRAFT_VERSION = { versionId: '00000000-0000-0000-0000-000000000000', version: 0 };

/** A price that is none yet is no most either. */
const NO_PRICE_YET = 0n;

/** A draft and whose it is. */
interface OwnDraft {
  resourceId: string;
  ownerId: string;
  /** The owner's username. */
  creator: string;
  kind: string;
  draft: Draft;
}

interface Drafted extends Findings {
  /** What a published version takes from it; null while `problems` keep it from being published: what cannot run is not sold. */
  content: Content | null;
  /** To be run; null while its kind, configuration or parameters do not allow that. */
  version: PublishedVersion | null;
}

/** A draft as its owner may try it before it is for sale: without offers, and under no version. Opens no transaction. */
export async function readDraft(deps: ResourcesDeps, own: OwnDraft): Promise<Drafted> {
  const checked = await checkDraft(deps, own);
  const made = toVersion(deps, own);
  const unready = made && (await findUnready(made));
  const isTold = unready === null || (isOfModel(unready) && checked.problems.some(pointsAtRun));
  const problems = isTold ? checked.problems : [...checked.problems, toProblem(unready)];
  const isRunnable = !checked.problems.some(pointsAtRun);
  return {
    content: checked.ok && problems.length === 0 ? checked.content : null,
    version: made && isRunnable ? withSchema(made) : null,
    problems,
    warnings: checked.warnings,
  };
}

/** What is told with every save and read of a draft. */
export async function findFindings(deps: ResourcesDeps, own: OwnDraft): Promise<Findings> {
  const { problems, warnings } = await readDraft(deps, own);
  return { problems, warnings };
}

export function toOwnDraft({ id, owner_id: ownerId, kind, draft }: ResourceRow, { username }: User): OwnDraft {
  return { resourceId: id, ownerId, creator: username, kind, draft };
}

/** The caller's own draft, whatever its state; throws `not_found`. Opens a transaction of its own. */
export async function findOwnDraft(deps: ResourcesDeps, user: User, id: string): Promise<Drafted> {
  const row = await deps.database.asUser(user.userId, (tx) => findOwn(tx, id));
  if (!row) {
    throw notFound();
  }
  return readDraft(deps, toOwnDraft(row, user));
}

type Unready = Extract<Readiness, { ready: false }>;

interface Made {
  kind: ResourceKind;
  version: PublishedVersion;
}

function toVersion({ kinds, clock }: ResourcesDeps, own: OwnDraft): Made | null {
  const { draft, resourceId, ownerId, creator } = own;
  const kind = kinds.find(({ name }) => name === own.kind);
  const config = kind?.configSchema.safeParse(draft.config);
  if (!kind || !config?.success) {
    return null;
  }
  const version: PublishedVersion = {
    ...DRAFT_VERSION,
    resourceId,
    ownerId,
    creator,
    slug: draft.slug,
    kind: own.kind,
    name: draft.name,
    description: draft.description,
    category: draft.category ?? '',
    tags: draft.tags,
    state: 'published',
    pauseCause: null,
    pausedBy: null,
    priceAtomic: 0n,
    offers: [],
    ...toUseMeasure(draft.measuredUse, findUsdc(draft.priceUsdc ?? '') ?? NO_PRICE_YET),
    settlementPoint: 'on_success',
    maxLossUsd: null,
    timeoutSeconds: draft.timeoutSeconds,
    ...(draft.runsLong ? { runsLong: true } : {}),
    mediaRetentionSeconds: draft.mediaRetentionSeconds,
    parameters: draft.parameters,
    inputSchema: {},
    config: config.data,
    publishedAt: new Date(clock.now()),
    superseded: [],
  };
  return { kind, version };
}

function pointsAtRun({ path }: FieldProblem): boolean {
  return /^\/(kind|config|parameters)(\/|$)/.test(path);
}

/** What is wrong with a model the kind's own check tells too, at the field that names it or at what it cannot read. */
function isOfModel({ cause }: Unready): boolean {
  return cause.startsWith('model_');
}

function withSchema({ kind, version }: Made): PublishedVersion {
  const allowsUserMessage = kind.allowsUserMessage?.(version.config) ?? false;
  return { ...version, inputSchema: toInputSchema(version.parameters, { allowsUserMessage }) };
}

/** What would keep every call of it from running, until its owner acts. A template that does not compile is told elsewhere. */
async function findUnready({ kind, version }: Made): Promise<Unready | null> {
  const readiness = await kind.isReady(version).catch(() => null);
  return readiness === null || readiness.ready || readiness.retryAfterSeconds !== undefined ? null : readiness;
}

function toProblem({ cause }: Unready): FieldProblem {
  return { path: '/config', message: withoutCode(cause) };
}
