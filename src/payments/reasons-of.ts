import { findScheme, type SchemeList } from './find-scheme.ts';
import type { Payment } from './payment.ts';
import { reasons } from './reasons.ts';

export interface RefusalReasons {
  expiresTooSoon: string;
  exceedsBalance: string;
  alreadyUsed: string;
}

/** The words in which the payment's scheme says why it is refused. */
export function reasonsOf(list: SchemeList, payment: Pick<Payment, 'scheme' | 'network'>): RefusalReasons {
  const { unknownScheme } = reasons;
  const unknown = { expiresTooSoon: unknownScheme, exceedsBalance: unknownScheme, alreadyUsed: unknownScheme };
  return findScheme(list, payment)?.reasons ?? unknown;
}
