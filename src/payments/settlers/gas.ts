/** Limits of what we send. Unused gas is not paid; a contract wallet may verify a passkey in its own code. */
export const GAS = { single: 200_000n, wallet: 700_000n, batch: 80_000n, each: 120_000n };
