import type { Payments } from './open-payments.ts';
import type { GasReserve } from './settlers/settler.ts';

/** Of the settlers that pay gas and could be asked. */
export async function listGas({ settlers }: Pick<Payments, 'settlers'>): Promise<GasReserve[]> {
  const answers = await Promise.all(settlers.map(async (settler) => settler.readGas?.() ?? null));
  return answers.filter((reserve) => reserve !== null);
}
