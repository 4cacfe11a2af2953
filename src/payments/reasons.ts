/** Reasons that belong to no scheme, in the words of the x402 SDK: clients match on them. */
export const reasons = {
  cannotVerify: 'unexpected_verify_error',
  cannotSettle: 'unexpected_settle_error',
  pending: 'settlement_pending',
  unknownScheme: 'invalid_scheme',
} as const;
