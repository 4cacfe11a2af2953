import { Problem, type ProblemCode } from '#kit/index.ts';
import { decodePayment, type Payment } from '#payments/index.ts';
import type { CallOutcome, CallRequest } from './call-request.ts';
import { withoutCharge } from './charge-told.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/**
 * A request that was refused before its payment was looked at. Only of one that no call here has ever held it is said that
 * nothing was charged.
 */
export async function refuseEarly(
  deps: Pick<GatewayDeps, 'database' | 'payments' | 'log'>,
  sent: CallRequest['payment'],
  problem: Problem,
): Promise<CallOutcome & { kind: 'problem' }> {
  const refused = { kind: 'problem' as const, problem, charged: false };
  try {
    const held = await Promise.all(readAll(deps, sent).map((payment) => wasHeld(deps, payment)));
    return held.includes(true) ? withoutCharge(refused) : refused;
  } catch (error) {
    deps.log.error({ err: error }, 'whether a payment that was refused early had bought something could not be read');
    return withoutCharge(refused);
  }
}

/** A payment that cannot be read. */
export function refuseUnreadable(
  deps: Pick<GatewayDeps, 'database' | 'payments' | 'log'>,
  sent: CallRequest['payment'],
  { problem, detail }: { problem: ProblemCode; detail: string },
): Promise<CallOutcome & { kind: 'problem' }> {
  return refuseEarly(deps, sent, new Problem(problem, { detail }));
}

/** Of both headers: the one that counts may be none while the other one has bought an answer. */
function readAll({ payments }: Pick<GatewayDeps, 'payments'>, sent: CallRequest['payment']): Payment[] {
  const { paymentSignature, xPayment } = sent;
  return [{ paymentSignature }, { xPayment }].flatMap((one) => {
    const decoded = decodePayment(payments, one);
    return decoded.ok ? [decoded.payment] : [];
  });
}

const isIt = 'network = $1 AND asset = $2 AND payer = $3 AND uniqueness_key = $4';

/** Two, by the indexes of calls that hold a payment and of those that have released it; one statement, so none is between them. */
const select = `
  SELECT EXISTS (SELECT FROM calls WHERE ${isIt} AND state NOT IN ('refused', 'failed'))
    OR EXISTS (SELECT FROM calls WHERE ${isIt} AND state IN ('refused', 'failed')) AS "wasHeld"`;

async function wasHeld({ database }: Pick<GatewayDeps, 'database'>, payment: Payment): Promise<boolean> {
  const { network, asset, payer, uniquenessKey } = payment;
  const values = [network, asset, payer, uniquenessKey];
  const { rows } = await database.system.query<{ wasHeld: boolean }>({ name: 'calls_ever_held', text: select, values });
  return rows[0]?.wasHeld ?? false;
}
