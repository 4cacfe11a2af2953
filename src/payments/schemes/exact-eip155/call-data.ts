import type { Payment } from '../../payment.ts';
import { addressWord, bytesTail, numberWord } from '../../settlers/eip155/call-data.ts';
import { normalizeSignature } from './eip3009.ts';
import { payloadOf } from './payload.ts';

const selectors = {
  transferVrs: 'e3ee160e', // transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)
  transferBytes: 'cf092995', // transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)
  authorizationState: 'e94a0102', // authorizationState(address,bytes32)
};

/** The transfer that the payer signed; 65-byte signatures as v, r, s, which every EIP-3009 token takes. */
export function encodeTransfer(payment: Payment): string {
  const { authorization, signature: signed } = payloadOf(payment);
  const { from, to, value, validAfter, validBefore, nonce } = authorization;
  const signature = normalizeSignature(signed).slice(2);
  const head =
    addressWord(from) + addressWord(to) + [value, validAfter, validBefore].map(numberWord).join('') + nonce.slice(2);
  if (signature.length === 130) {
    const v = signature.slice(128).padStart(64, '0');
    return `0x${selectors.transferVrs}${head}${v}${signature.slice(0, 128)}`;
  }
  return `0x${selectors.transferBytes}${head}${numberWord(7 * 32)}${bytesTail(signature)}`;
}

export function encodeAuthorizationState(authorizer: string, nonce: string): string {
  return `0x${selectors.authorizationState}${addressWord(authorizer)}${nonce.slice(2)}`;
}
