import type { FieldProblem, User } from '#kit/index.ts';
import { checkDraft, type Content } from './check-draft.ts';
import { findOwn, notFound } from './own-resource.ts';
import type { PublishedVersion, ResourceKind } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { toInputSchema } from './to-input-schema.ts';
import type { ResourceRow } from './tables.ts';

/** The version of a run of a draft, in the usage log. */
const DRAFT_VERSION = { versionId: '00000000-0000-0000-0000-000000000000', version: 0 };

interface OwnDraft {
  row: ResourceRow;
  /** The owner's username. */
  creator: string;
}

interface Drafted {
  /** What a published version takes from it; null while that is not complete. */
  content: Content | null;
  /** To be run; null while its kind, configuration or parameters do not allow that. */
  version: PublishedVersion | null;
  /** All that stands in the way of publishing, readiness included: what cannot run is not sold. */
  problems: FieldProblem[];
}

/** A draft as its owner may try it before it is for sale: without offers, and under no version. */
export async function readDraft(deps: ResourcesDeps, own: OwnDraft): Promise<Drafted> {
  const { row } = own;
  const checked = await checkDraft(deps, { ownerId: row.owner_id, kind: row.kind, draft: row.draft });
  const fields = checked.ok ? [] : checked.fields;
  const made = toVersion(deps, own);
  const unready = made && (await findUnready(made));
  const problems =
    unready === null || fields.some(({ message }) => unready.message.startsWith(message))
      ? fields
      : [...fields, unready];
  const isRunnable = !fields.some(({ path }) => /^\/(kind|config|parameters)(\/|$)/.test(path));
  return {
    content: checked.ok ? checked.content : null,
    version: made && isRunnable ? withSchema(made) : null,
    problems,
  };
}

/** The caller's own draft, whatever its state; throws `not_found`. Opens a transaction of its own. */
export async function findOwnDraft(deps: ResourcesDeps, user: User, id: string): Promise<Drafted> {
  const row = await deps.database.asUser(user.userId, (tx) => findOwn(tx, id));
  if (!row) {
    throw notFound();
  }
  return readDraft(deps, { row, creator: user.username });
}

interface Made {
  kind: ResourceKind;
  version: PublishedVersion;
}

function toVersion({ kinds, clock }: ResourcesDeps, { row, creator }: OwnDraft): Made | null {
  const { draft } = row;
  const kind = kinds.find(({ name }) => name === row.kind);
  const config = kind?.configSchema.safeParse(draft.config);
  if (!kind || !config?.success) {
    return null;
  }
  const version: PublishedVersion = {
    ...DRAFT_VERSION,
    resourceId: row.id,
    ownerId: row.owner_id,
    creator,
    slug: draft.slug,
    kind: row.kind,
    name: draft.name,
    description: draft.description,
    category: draft.category ?? '',
    tags: draft.tags,
    state: 'published',
    pauseCause: null,
    priceAtomic: 0n,
    offers: [],
    settlementPoint: 'on_success',
    timeoutSeconds: draft.timeoutSeconds,
    parameters: draft.parameters,
    inputSchema: {},
    config: config.data,
    publishedAt: new Date(clock.now()),
    superseded: [],
  };
  return { kind, version };
}

function withSchema({ kind, version }: Made): PublishedVersion {
  const allowsUserMessage = kind.allowsUserMessage?.(version.config) ?? false;
  return { ...version, inputSchema: toInputSchema(version.parameters, { allowsUserMessage }) };
}

/** What would keep every call of it from running, until its owner acts. A template that does not compile is told elsewhere. */
async function findUnready({ kind, version }: Made): Promise<FieldProblem | null> {
  const readiness = await kind.isReady(version).catch(() => null);
  if (readiness === null || readiness.ready || readiness.retryAfterSeconds !== undefined) {
    return null;
  }
  return { path: '/config', message: readiness.cause.replace(/^\w+: /, '') };
}
