import { openMemory, type Clock } from '#kit/index.ts';
import { SHOWN, type Executor, type HeldCall, type SpendCap } from './spend-caps.ts';

/** PostgreSQL notifies on this channel when a creator's caps change. */
export const SPEND_CAPS_CHANGED = 'spend_caps_changed';

/** How long a process that did not hear of a creator's first cap may hold nothing under it. */
const KEPT_MS = 1_000;
const MOST_KEPT = 10_000;

const HOLD = `
  SELECT ${SHOWN}, CASE cap.scope WHEN 'key' THEN '' WHEN 'resource' THEN $3::text ELSE $4 END AS subject,
    full_cap IS NOT NULL AS "isFull", EXISTS (SELECT FROM spend_caps WHERE owner_id = $2) AS "hasCaps"
  FROM hold_spend($1, $2, $3::uuid, $4, $5) AS full_cap LEFT JOIN spend_caps cap ON cap.id = full_cap`;

type HoldRow = (SpendCap | { scope: null }) & { isFull: boolean; hasCaps: boolean };

export interface SpendHold {
  /** Sets the worst case of a call aside under all caps that it counts for; otherwise tells the one that has no room for it. */
  hold(call: HeldCall): Promise<SpendCap | null>;
  /** Caps change, or have changed, here or in another process. */
  forgetCaps(): void;
}

/** Whoever has no caps is asked about once a second, not with every call. */
export function openSpendHold({ database, clock }: { database: { system: Executor }; clock: Clock }): SpendHold {
  const uncapped = openMemory<true>({ clock, keptMs: KEPT_MS, mostKept: MOST_KEPT });
  return {
    hold: async ({ callId, ownerId, resourceId, payer, worstUsd }) => {
      if (uncapped.find(ownerId)) {
        return null;
      }
      const keep = uncapped.begin();
      const values = [callId, ownerId, resourceId, payer, worstUsd];
      for (;;) {
        const { rows } = await database.system.query<HoldRow>({ name: 'usage-hold-spend', text: HOLD, values });
        const [found] = rows;
        if (found?.isFull && found.scope === null) {
          // The cap was made while this waited for its turn, so this statement does not see it: the next one does.
          continue;
        }
        if (!found || found.scope === null) {
          if (found?.hasCaps === false) {
            keep(ownerId, true);
          }
          return null;
        }
        const { isFull: _isFull, hasCaps: _hasCaps, ...full } = found;
        return full;
      }
    },
    forgetCaps: () => uncapped.forget(),
  };
}
