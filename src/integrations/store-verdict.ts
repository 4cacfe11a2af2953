import type { Tx } from '#database/index.ts';
import type { Checked } from './check-given.ts';
import type { IntegrationRow } from './integration.ts';
import type { IntegrationService } from './integration-service.ts';
import { toNextCheck } from './next-check.ts';

export interface Verdict {
  /** Null: the key is good. */
  problem: string | null;
  label: string | null;
  shown: object;
  /** Did the provider say what money there is? */
  isCreditTold: boolean;
}

/** `before`: what was kept of the last good answer, which a refusal leaves where it tells nothing of its own. */
export function toVerdict<Shown extends object>(
  { label }: Pick<IntegrationRow, 'label'>,
  before: Shown,
  checked: Exclude<Checked<Shown>, { verdict: 'unclear' }>,
): Verdict {
  const isCreditTold = checked.hasCredit !== null;
  if (checked.verdict === 'good') {
    return { problem: null, label: checked.label, shown: checked.shown, isCreditTold };
  }
  // An account that is known to be empty is not forgotten over another refusal.
  const shown = isCreditTold ? checked.shown : { ...before, ...toTold(checked.shown) };
  return { problem: checked.detail, label, shown: shown ?? before, isCreditTold };
}

function toTold(shown: object | null): object {
  return Object.fromEntries(Object.entries(shown ?? {}).filter(([, value]) => value !== null));
}

interface Tested {
  service: Pick<IntegrationService, 'table'>;
  row: Pick<IntegrationRow, 'owner_id' | 'key_hash'>;
  checkedAt: Date;
  /** Given: only if nothing has changed since then, such as a call that met a refusal. */
  unchangedSince?: Date;
}

/**
 * What a provider said about a stored key. Guarded by the hash: a key that was replaced while the provider was asked is not
 * judged by this answer.
 */
export async function storeVerdict(
  tx: Tx,
  { service, row, checkedAt, unchangedSince }: Tested,
  { problem, label, shown, isCreditTold }: Verdict,
): Promise<IntegrationRow | undefined> {
  const { rows } = await tx.query<IntegrationRow>(
    `UPDATE ${service.table}
        SET is_valid = $3, last_problem = $4, snapshot = $5, label = $6, last_checked_at = $7, updated_at = $7,
            refused_at = NULL, next_check_at = $9, last_credit_check = CASE WHEN $10 THEN $7 ELSE last_credit_check END
      WHERE owner_id = $1 AND key_hash = $2 AND ($8::timestamptz IS NULL OR date_trunc('milliseconds', updated_at) = $8)
      RETURNING *`,
    [
      row.owner_id,
      row.key_hash,
      problem === null,
      problem,
      shown,
      label,
      checkedAt,
      unchangedSince,
      toNextCheck(checkedAt.getTime(), problem === null ? 'good' : 'bad'),
      isCreditTold,
    ],
  );
  return rows[0];
}
