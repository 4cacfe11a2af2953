import secp256k1 from 'secp256k1';
import { keccak256 } from '#kit/index.ts';
import { isSameAddress, type Offer } from '../offer.ts';
import type { Payment } from '../payment.ts';
import type { Verdict } from '../verdict.ts';

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
  assetMissing: 'asset_not_deployed_contract',
  cannotVerify: 'unexpected_verify_error',
  cannotSettle: 'unexpected_settle_error',
  pending: 'settlement_pending',
} as const;

/** Seconds that an authorisation must still be valid, as in the SDK: time for the transfer to get into a block. */
export const LEAST_VALIDITY_SECONDS = 6;

const DOMAIN_TYPE = keccak256(
  'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)',
).toString('hex');
const TRANSFER_TYPE = keccak256(
  'TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)',
).toString('hex');
/** Half of the curve's order: tokens refuse a larger s, which would give each authorisation a second signature. */
const HALF_ORDER = Buffer.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 'hex');

const domainSeparators = new Map<string, string>();

/** What the payer signed (EIP-712). */
export function toDigest(payment: Payment, offer: Offer): Buffer {
  const { from, to, value, validAfter, validBefore, nonce } = payment.authorization;
  const message =
    TRANSFER_TYPE +
    addressWord(from) +
    addressWord(to) +
    numberWord(value) +
    numberWord(validAfter) +
    numberWord(validBefore) +
    nonce.slice(2);
  const struct = keccak256(Buffer.from(message, 'hex')).toString('hex');
  return keccak256(Buffer.from(`1901${toDomainSeparator(offer)}${struct}`, 'hex'));
}

/** Whether `from` itself made the signature, in one of the forms that tokens accept: 65 bytes, low s, v 27/28 (or 0/1). */
export function isSignedByPayer(payment: Payment, digest: Buffer): boolean {
  return recoverSigner(digest, payment.signature) === payment.payer;
}

/** Lower-case address, or `null` when the bytes are no signature. */
export function recoverSigner(digest: Buffer, signature: string): string | null {
  const bytes = Buffer.from(signature.slice(2), 'hex');
  const v = bytes[64];
  if (bytes.length !== 65 || v === undefined) {
    return null;
  }
  const recovery = v >= 27 ? v - 27 : v;
  if (recovery > 1 || bytes.compare(HALF_ORDER, 0, 32, 32, 64) > 0) {
    return null;
  }
  try {
    const key = secp256k1.ecdsaRecover(bytes.subarray(0, 64), recovery, digest, false);
    return `0x${keccak256(Buffer.from(key.buffer, key.byteOffset + 1, 64)).toString('hex', 12)}`;
  } catch {
    return null;
  }
}

/** Payee, window and amount, in the order in which the SDK looks at them. */
export function checkTerms(payment: Payment, offer: Offer, time: { nowMs: number; marginSeconds: number }): Verdict {
  const { to, value, validAfter, validBefore } = payment.authorization;
  const now = BigInt(Math.floor(time.nowMs / 1000));
  if (!isSameAddress(to, offer.payTo)) {
    return { ok: false, reason: reasons.recipient };
  }
  if (BigInt(validBefore) < now + BigInt(time.marginSeconds)) {
    return { ok: false, reason: reasons.validBefore };
  }
  if (BigInt(validAfter) > now) {
    return { ok: false, reason: reasons.validAfter };
  }
  if (BigInt(value) !== offer.amountAtomic) {
    return { ok: false, reason: payment.x402Version === 1 ? reasons.valueV1 : reasons.value };
  }
  return { ok: true };
}

/** v as 27 or 28: wallets also write 0 or 1, which tokens refuse. Other signatures stay as they are. */
export function normalizeSignature(signature: string): string {
  const v = signature.length === 132 ? signature.slice(130) : '';
  if (v === '00' || v === '01') {
    return signature.slice(0, 130) + (v === '00' ? '1b' : '1c');
  }
  return signature;
}

function toDomainSeparator(offer: Offer): string {
  const key = `${offer.network} ${offer.asset} ${offer.extra.name} ${offer.extra.version}`;
  const known = domainSeparators.get(key);
  if (known) {
    return known;
  }
  const chainId = offer.network.slice('eip155:'.length);
  const domain =
    DOMAIN_TYPE +
    keccak256(offer.extra.name).toString('hex') +
    keccak256(offer.extra.version).toString('hex') +
    numberWord(chainId) +
    addressWord(offer.asset);
  const separator = keccak256(Buffer.from(domain, 'hex')).toString('hex');
  domainSeparators.set(key, separator);
  return separator;
}

function addressWord(address: string): string {
  return address.slice(2).toLowerCase().padStart(64, '0');
}

function numberWord(digits: string): string {
  return BigInt(digits).toString(16).padStart(64, '0');
}
