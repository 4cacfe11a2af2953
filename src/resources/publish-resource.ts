import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, Problem, type Caller, type FieldProblem } from '#kit/index.ts';
import { insertVersion, prepareVersion, type CheckedDraft } from './insert-version.ts';
import { findOwn, getUser, lockOwn, notFound } from './own-resource.ts';
import { checkedResource } from './resource-view.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { showChanged } from './show-own.ts';
import type { ResourceRow } from './tables.ts';

export const publishResource = operation({
  name: 'resources.publish',
  route: 'POST /api/resources/:id/publish',
  summary: 'Make the draft the version that buyers call from now on.',
  scope: 'resources:write',
  input: z.strictObject({ id: z.uuid(), revision: z.int().optional() }),
  output: checkedResource,
  problems: ['not_found', 'conflict', 'precondition_failed', 'unprocessable'],
  // Before the transaction: a kind may take its time.
  prepare: async (deps: ResourcesDeps, caller, { id, revision }) => {
    const user = getUser(caller);
    const read = await deps.database.asUser(user.userId, (tx) => findOwn(tx, id));
    if (!read) {
      throw notFound();
    }
    assertRevision(read, revision);
    const checked = await prepareVersion(deps, user, read);
    return checked.ok ? checked.draft : refuseDraft(checked.problems);
  },
  run: async (deps: ResourcesDeps & InTransaction<CheckedDraft>, caller: Caller, { id }) => {
    const now = new Date(deps.clock.now());
    const row = await insertVersion(deps.tx, { row: await lockOwn(deps.tx, id), draft: deps.prepared, now });
    const { problems, warnings } = deps.prepared;
    return { ...(await showChanged(deps, getUser(caller), row)), problems, warnings };
  },
});

function refuseDraft(fields: FieldProblem[]): never {
  throw new Problem('unprocessable', {
    detail: 'The draft cannot be published yet.',
    next: 'Mend the fields that "errors" lists, then publish again.',
    fields,
  });
}

/** Throws `precondition_failed` where the draft is at another revision than the caller says. */
export function assertRevision(row: ResourceRow, revision: number | undefined): void {
  if (revision !== undefined && revision !== row.revision) {
    const detail = `The draft is at revision ${row.revision}, not ${revision}.`;
    throw new Problem('precondition_failed', { detail });
  }
}
