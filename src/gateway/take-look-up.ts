import type { CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import type { Payment } from '#payments/index.ts';
import { toClient } from './to-client.ts';

type LookUpDeps = Pick<GatewayDeps, 'database' | 'lookUps'>;

const hasPaid = `SELECT FROM calls WHERE payer = $1 AND settled_at IS NOT NULL LIMIT 1`;

/**
 * Before the chain is asked about a payment that its payer's key did not sign. Counted per network of clients; a wallet
 * that has paid here before has its own count there, so that it is not held up by its neighbours, nor by those who use
 * its name elsewhere. @returns seconds to wait; 0: the chain may be asked.
 */
export async function takeLookUp(
  deps: LookUpDeps,
  { clientAddress, payment }: Pick<CallRequest, 'clientAddress'> & { payment: Payment },
): Promise<number> {
  const client = toClient(clientAddress);
  const taken = await deps.lookUps.take(client);
  if (taken.isAllowed) {
    return 0;
  }
  const known = await deps.database.system.query({ name: 'calls_has_paid', text: hasPaid, values: [payment.payer] });
  const own = known.rowCount === 1 ? await deps.lookUps.take(`${client} ${payment.payer}`) : taken;
  return own.isAllowed ? 0 : own.retryAfterSeconds;
}
