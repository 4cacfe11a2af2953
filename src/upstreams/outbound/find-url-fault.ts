import { Problem } from '#kit/index.ts';
import type { Outbound } from './open-outbound.ts';

/** Why a URL may not be called, as far as it tells by itself; null where it may. */
export function findUrlFault(outbound: Pick<Outbound, 'open'>, url: string): string | null {
  try {
    outbound.open(url);
    return null;
  } catch (error) {
    if (error instanceof Problem) {
      return error.message;
    }
    throw error;
  }
}
