import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, Problem, type Caller } from '#kit/index.ts';
import { insertVersion, prepareVersion, type CheckedDraft } from './insert-version.ts';
import { loadVersion } from './load-version.ts';
import { findOwn, getUser, lockOwn, notFound } from './own-resource.ts';
import { getOwnVersion } from './own-version.ts';
import { assertRevision } from './publish-resource.ts';
import { checkedResource } from './resource-view.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { showChanged } from './show-own.ts';
import type { ResourceRow } from './tables.ts';
import { draftColumns, toVersionDraft, type DraftSource } from './version-draft.ts';

export const rollBackResource = operation({
  name: 'resources.roll_back',
  route: 'POST /api/resources/:id/rollback',
  summary:
    'Publish an earlier version again, as a new one with its content. The draft becomes that of the version, too.',
  scope: 'resources:write',
  input: z.strictObject({
    id: z.uuid(),
    version: z.int().min(1).max(999_999_999).describe('The number of the version that buyers shall get again.'),
    revision: z.int().optional(),
    discardsDraft: z
      .boolean()
      .default(false)
      .describe('True where the draft holds changes that were not published and shall be lost.'),
    paysFormerAddress: z
      .boolean()
      .default(false)
      .describe('True where the version pays an address that the present one does not, and shall do so again.'),
  }),
  output: checkedResource,
  problems: ['not_found', 'conflict', 'precondition_failed', 'unprocessable'],
  // Before the transaction: a kind may take its time.
  prepare: async (deps: ResourcesDeps, caller, { id, version, revision, discardsDraft, paysFormerAddress }) => {
    const user = getUser(caller);
    const { read, source } = await deps.database.asUser(user.userId, async (tx) => ({
      read: (await findOwn(tx, id)) ?? refuseUnknown(),
      source: await getOwnVersion<DraftSource>(tx, { id, version }, draftColumns),
    }));
    assertRevision(read, revision);
    if (read.revision !== read.published_revision && !discardsDraft) {
      throw new Problem('conflict', {
        detail: 'The draft holds changes that were not published; rolling back would lose them.',
        next: 'Publish them first, or send "discardsDraft": true.',
      });
    }
    const checked = await prepareVersion(deps, user, { ...read, draft: toVersionDraft(source) });
    if (!checked.ok) {
      throw new Problem('unprocessable', {
        detail: `Version ${version} cannot be published any more.`,
        next: 'Edit the draft instead: "errors" tells what has changed since.',
        fields: checked.problems,
      });
    }
    if (!paysFormerAddress) {
      await assertSamePayees(deps, read, checked.draft);
    }
    return checked.draft;
  },
  run: async (deps: ResourcesDeps & InTransaction<CheckedDraft>, caller: Caller, { id }) => {
    const { tx, prepared } = deps;
    const row = await lockOwn(tx, id);
    assertRevision(row, prepared.revision);
    const draft = { ...prepared, revision: row.revision + 1 };
    await tx.query('UPDATE x402_resources SET draft = $2, revision = $3 WHERE id = $1', [
      id,
      JSON.stringify(draft.draft),
      draft.revision,
    ]);
    const now = new Date(deps.clock.now());
    const published = await insertVersion(tx, { row, draft, now });
    return { ...(await showChanged(deps, getUser(caller), published)), problems: [], warnings: prepared.warnings };
  },
});

function refuseUnknown(): ResourceRow {
  throw notFound();
}

/** An address may have been given up because its key is lost. */
async function assertSamePayees(
  { database, clock }: ResourcesDeps,
  row: ResourceRow,
  { content }: CheckedDraft,
): Promise<void> {
  const source = { pool: database.system, nowMs: clock.now() };
  const current = row.published_version_id ? await loadVersion(source, 'version', [row.published_version_id]) : null;
  const known = new Set(current?.offers.map(({ payTo }) => payTo));
  const former = content.offers.map(({ payTo }) => payTo).filter((payTo) => !known.has(payTo));
  if (former.length > 0) {
    throw new Problem('conflict', {
      detail: `That version pays ${former.join(', ')}, which the present one does not.`,
      next: 'Send "paysFormerAddress": true if that is meant; otherwise edit the draft.',
    });
  }
}
