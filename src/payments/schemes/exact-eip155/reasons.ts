import type { SchemeReasons } from '../scheme.ts';

/** The SDK's own strings: clients in the wild match on them (@x402/evm, exact/facilitator/errors.ts). */
export const reasons = {
  network: 'invalid_exact_evm_network_mismatch',
  signature: 'invalid_exact_evm_signature',
  recipient: 'invalid_exact_evm_recipient_mismatch',
  validBefore: 'invalid_exact_evm_payload_authorization_valid_before',
  validAfter: 'invalid_exact_evm_payload_authorization_valid_after',
  value: 'invalid_exact_evm_payload_authorization_value_mismatch',
  valueV1: 'invalid_exact_evm_authorization_value',
  nonceUsed: 'invalid_exact_evm_nonce_already_used',
  balance: 'invalid_exact_evm_insufficient_balance',
  simulation: 'invalid_exact_evm_transaction_simulation_failed',
  transaction: 'invalid_exact_evm_transaction_failed',
  undeployedWallet: 'eip6492_factory_not_allowed',
} as const;

/** Ours, for a payment that ended without being used; no client of the SDK sees it before. */
export const EXPIRED = 'authorization_expired';

export const reasonsByRole: SchemeReasons = {
  wrongNetwork: reasons.network,
  expiresTooSoon: reasons.validBefore,
  exceedsBalance: reasons.balance,
  alreadyUsed: reasons.nonceUsed,
  transactionFailed: reasons.transaction,
  beforeSending: new Set([
    reasons.network,
    reasons.signature,
    reasons.recipient,
    reasons.validBefore,
    reasons.validAfter,
    reasons.value,
    reasons.valueV1,
    reasons.balance,
    reasons.simulation,
    reasons.undeployedWallet,
    'insufficient_funds',
    'invalid_exact_evm_scheme',
    'invalid_exact_evm_missing_eip712_domain',
    'invalid_exact_evm_payload_signature',
    'invalid_exact_evm_payload_recipient_mismatch',
    'invalid_payload',
    'invalid_payment_requirements',
  ]),
};
