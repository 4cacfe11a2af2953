import secp256k1 from 'secp256k1';
import { keccak256 } from '#kit/index.ts';
import type { Offer } from '../../offer.ts';
import type { Payment } from '../../payment.ts';
import { payloadOf } from './payload.ts';

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
  const { from, to, value, validAfter, validBefore, nonce } = payloadOf(payment).authorization;
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
  return recoverSigner(digest, payloadOf(payment).signature) === payment.payer;
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

/** v as 27 or 28: wallets also write 0 or 1, which tokens refuse. Other signatures stay as they are. */
export function normalizeSignature(signature: string): string {
  const v = signature.length === 132 ? signature.slice(130) : '';
  if (v === '00' || v === '01') {
    return signature.slice(0, 130) + (v === '00' ? '1b' : '1c');
  }
  return signature;
}

/** Name and version of the token's EIP-712 domain. */
export function toDomain(offer: Pick<Offer, 'extra'>): { name: string; version: string } {
  const { name, version } = offer.extra;
  return { name: typeof name === 'string' ? name : '', version: typeof version === 'string' ? version : '' };
}

function toDomainSeparator(offer: Offer): string {
  const { name, version } = toDomain(offer);
  const key = `${offer.network} ${offer.asset} ${name} ${version}`;
  const known = domainSeparators.get(key);
  if (known) {
    return known;
  }
  const chainId = offer.network.slice('eip155:'.length);
  const domain =
    DOMAIN_TYPE +
    keccak256(name).toString('hex') +
    keccak256(version).toString('hex') +
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
