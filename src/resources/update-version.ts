import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, Problem, slugPattern, type Caller } from '#kit/index.ts';
import { lockOwn } from './own-resource.ts';
import { getOwnVersion, type VersionState } from './own-version.ts';
import type { ResourcesDeps } from './resources-deps.ts';

export const versionState = z.object({
  version: z.number(),
  /** What its creator calls it. */
  label: z.string().nullable(),
  /** Since when nobody can call it by its number any more. */
  withdrawnAt: z.string().nullable(),
});

export const updateResourceVersion = operation({
  name: 'resources.update_version',
  route: 'PATCH /api/resources/:id/versions/:version',
  summary: 'Name a version, or take an earlier one off sale: buyers may call it by its number until then.',
  scope: 'resources:write',
  input: z.strictObject({
    id: z.uuid(),
    version: z.coerce.number().int().min(1).max(999_999_999),
    label: z
      .string()
      .regex(slugPattern, 'Use lower-case letters, digits and single hyphens between them, such as "stable".')
      .max(40)
      .nullable()
      .optional()
      .describe('Moves from the version of the resource that has it; null takes it away.'),
    withdrawn: z.boolean().optional().describe('False puts it back on sale under its number.'),
  }),
  output: versionState,
  problems: ['not_found', 'conflict'],
  run: async (
    deps: ResourcesDeps & InTransaction,
    _caller: Caller,
    { id, version, label, withdrawn },
  ): Promise<z.input<typeof versionState>> => {
    const { tx } = deps;
    await lockOwn(tx, id);
    const row = await getOwnVersion<VersionState>(tx, { id, version }, columns);
    if (withdrawn === true && row.superseded_at === null) {
      throw new Problem('conflict', {
        detail: 'This is the version that buyers get now.',
        next: 'Pause or archive the resource, or publish another version first.',
      });
    }
    if (label !== undefined && label !== null) {
      await tx.query(
        'UPDATE x402_resource_versions SET label = NULL WHERE resource_id = $1 AND label = $2 AND id <> $3',
        [id, label, row.id],
      );
    }
    const withdrawnAt = toWithdrawnAt(row, withdrawn, new Date(deps.clock.now()));
    const { rows } = await tx.query<VersionState>(
      `UPDATE x402_resource_versions SET label = $2, withdrawn_at = $3 WHERE id = $1 RETURNING ${columns}`,
      [row.id, label === undefined ? row.label : label, withdrawnAt],
    );
    deps.afterCommit(() => deps.onChanged?.(id));
    return toVersionState(rows[0] ?? row);
  },
});

const columns = 'id, version, label, superseded_at, withdrawn_at';

function toWithdrawnAt(row: VersionState, withdrawn: boolean | undefined, now: Date): Date | null {
  if (withdrawn === undefined) {
    return row.withdrawn_at;
  }
  return withdrawn ? (row.withdrawn_at ?? now) : null;
}

function toVersionState({ version, label, withdrawn_at: withdrawnAt }: VersionState): z.input<typeof versionState> {
  return { version, label, withdrawnAt: withdrawnAt?.toISOString() ?? null };
}
