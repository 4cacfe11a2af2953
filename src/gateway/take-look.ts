import { fromStoredOffer, type Offer, type StoredOffer } from '#payments/index.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/** Buyers, and whoever has read a payment on the chain, ask as often as they like; the chain is asked once in this time. */
const take = `
  UPDATE calls SET looked_up_at = now()
  WHERE id = $1 AND (looked_up_at IS NULL OR looked_up_at <= now() - interval '1 second')
  RETURNING offer, created_at`;

/** Before the chain is asked about a call that has ended. What to ask for, or `null`: it was asked a moment ago. */
export async function takeLook(
  { database }: Pick<GatewayDeps, 'database'>,
  callId: string,
): Promise<{ offer: Offer; since: Date } | null> {
  const { rows } = await database.system.query<{ offer: StoredOffer; created_at: Date }>(take, [callId]);
  const row = rows[0];
  return row ? { offer: fromStoredOffer(row.offer), since: row.created_at } : null;
}
