import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { newId, operation, type Caller, type FieldProblem } from '#kit/index.ts';
import type { Findings } from './check-draft.ts';
import { assertShape, checkShape } from './check-shape.ts';
import { draftFields, emptyDraft, type Draft } from './draft.ts';
import { findFindings } from './draft-version.ts';
import { claimSlug, getUser } from './own-resource.ts';
import { checkedResource } from './resource-view.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { showChanged } from './show-own.ts';
import type { ResourceRow } from './tables.ts';

const { slug, ...rest } = draftFields;
const input = z.strictObject({ kind: z.string().max(60), slug, ...z.object(rest).partial().shape });

export const createResource = operation({
  name: 'resources.create',
  route: 'POST /api/resources',
  summary:
    'Begin a resource as a draft; publishing is a step of its own. What can never be right is refused, what is missing is told as `problems`.',
  scope: 'resources:write',
  status: 201,
  input,
  output: checkedResource,
  problems: ['conflict'],
  findMore: async (deps: ResourcesDeps, _caller, { fits: { kind, ...fields } }) => checkGiven(deps, kind, fields),
  // Before the transaction: a kind may take its time.
  prepare: async (deps: ResourcesDeps, caller, { kind, ...fields }) => {
    assertShape(checkGiven(deps, kind, fields));
    const draft: Draft = { ...emptyDraft, ...withoutUndefined(fields) };
    const { userId: ownerId, username: creator } = getUser(caller);
    const id = newId();
    const findings = await findFindings(deps, { resourceId: id, ownerId, creator, kind, draft });
    return { id, draft, findings };
  },
  run: async (deps: ResourcesDeps & InTransaction<Checked>, caller: Caller, { kind }) => {
    const user = getUser(caller);
    const { id, draft, findings } = deps.prepared;
    const now = new Date(deps.clock.now());
    const { rows } = await deps.tx.query<ResourceRow>(
      `INSERT INTO x402_resources (id, owner_id, kind, slug, draft, created_at, updated_at)
       VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING *`,
      [id, user.userId, kind, draft.slug, JSON.stringify(draft), now],
    );
    await claimSlug(deps.tx, { ownerId: user.userId, resourceId: id, slug: draft.slug });
    return { ...(await showChanged(deps, user, rows[0] as ResourceRow)), ...findings };
  },
});

type GivenFields = { [Key in keyof Draft]?: Draft[Key] | undefined };

interface Checked {
  id: string;
  draft: Draft;
  findings: Findings;
}

/** `kind` is undefined where it is told already that there is none. */
function checkGiven(deps: ResourcesDeps, kind: string | undefined, fields: GivenFields): FieldProblem[] {
  const given = withoutUndefined(fields);
  const draft: Draft = { slug: '', ...emptyDraft, ...given };
  return [
    ...(kind === undefined ? [] : checkKind(deps, kind)),
    ...checkShape(deps, { kind: kind ?? '', given, draft }),
  ];
}

function checkKind(deps: ResourcesDeps, kind: string): FieldProblem[] {
  const names = deps.kinds.map((candidate) => candidate.name);
  return names.includes(kind) ? [] : [{ path: '/kind', message: `Choose one of ${names.join(', ')}.` }];
}

/** Lets a spread of optional fields leave the defaults alone. */
export function withoutUndefined<T extends object>(fields: T): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]: Exclude<T[Key], undefined> };
}
