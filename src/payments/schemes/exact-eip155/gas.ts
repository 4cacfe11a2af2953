import type { GasLimits } from '../scheme.ts';

/** Limits of a transfer. Unused gas is not paid; a contract wallet may verify a passkey in its own code. */
export const gas: GasLimits = { shared: 120_000n, alone: 200_000n, contract: 700_000n };
