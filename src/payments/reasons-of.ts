import { findScheme, type SchemeList } from './find-scheme.ts';
import type { Payment } from './payment.ts';
import { reasons } from './reasons.ts';

export interface RefusalReasons {
  expiresTooSoon: string;
  exceedsBalance: string;
}

/** The words in which the payment's scheme says why it is refused. */
export function reasonsOf(list: SchemeList, payment: Pick<Payment, 'scheme' | 'network'>): RefusalReasons {
  const { unknownScheme } = reasons;
  return findScheme(list, payment)?.reasons ?? { expiresTooSoon: unknownScheme, exceedsBalance: unknownScheme };
}
