import { reasons } from './reasons.ts';

const byText: readonly [RegExp, string][] = [
  [/authorization.*(expired|valid before)|AuthorizationExpired/i, reasons.validBefore],
  [/authorization.*not.*valid|AuthorizationNotYetValid/i, reasons.validAfter],
  [/authorization.*used|AuthorizationAlreadyUsed|AuthorizationUsedOrCanceled/i, reasons.nonceUsed],
  [/transfer.*exceeds.*balance|insufficient.*balance|ERC20InsufficientBalance/i, reasons.balance],
  [/invalid.*signature|SignerMismatch|InvalidSignatureV|InvalidSignatureS/i, reasons.signature],
];

/** The SDK's word for a revert text; the patterns are those of its `parseEip3009TransferError`. `null`: none fits. */
export function toReason(revertText: string): string | null {
  return byText.find(([pattern]) => pattern.test(revertText))?.[1] ?? null;
}
