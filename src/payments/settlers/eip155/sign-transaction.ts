import secp256k1 from 'secp256k1';
import { keccak256, toChecksumAddress } from '#kit/index.ts';

interface Transaction {
  chainId: number;
  nonce: number;
  maxPriorityFeePerGas: bigint;
  maxFeePerGas: bigint;
  gasLimit: bigint;
  to: string;
  data: string;
}

export interface SigningKey {
  /** Lower case. */
  address: string;
  sign(digest: Buffer): { r: Buffer; s: Buffer; yParity: number };
}

type RlpItem = Buffer | RlpItem[];

/** Throws for text that is not a private key, without repeating it. */
export function toSigningKey(privateKey: string): SigningKey {
  const secret = Buffer.from(privateKey.slice(2), 'hex');
  if (secret.length !== 32 || !secp256k1.privateKeyVerify(secret)) {
    throw new Error('A settler key is not a private key of secp256k1.');
  }
  const publicKey = Buffer.from(secp256k1.publicKeyCreate(secret, false));
  return {
    address: `0x${keccak256(publicKey.subarray(1)).toString('hex', 12)}`,
    sign: (digest) => {
      const { signature, recid } = secp256k1.ecdsaSign(digest, secret);
      const bytes = Buffer.from(signature);
      return { r: bytes.subarray(0, 32), s: bytes.subarray(32), yParity: recid };
    },
  };
}

/** The account that pays the gas of what this key signs. */
export function toSettlerAddress(privateKey: string): `0x${string}` {
  return toChecksumAddress(toSigningKey(privateKey).address);
}

/** EIP-1559 transaction, ready for eth_sendRawTransaction. */
export function signTransaction(key: SigningKey, transaction: Transaction): { raw: string; hash: string } {
  const fields: RlpItem[] = [
    toBytes(BigInt(transaction.chainId)),
    toBytes(BigInt(transaction.nonce)),
    toBytes(transaction.maxPriorityFeePerGas),
    toBytes(transaction.maxFeePerGas),
    toBytes(transaction.gasLimit),
    Buffer.from(transaction.to.slice(2), 'hex'),
    Buffer.alloc(0),
    Buffer.from(transaction.data.slice(2), 'hex'),
    [],
  ];
  const digest = keccak256(encodeTyped(fields));
  const { r, s, yParity } = key.sign(digest);
  const signed = encodeTyped([...fields, toBytes(BigInt(yParity)), withoutZeros(r), withoutZeros(s)]);
  return { raw: `0x${signed.toString('hex')}`, hash: `0x${keccak256(signed).toString('hex')}` };
}

function encodeTyped(fields: RlpItem[]): Buffer {
  return Buffer.concat([Buffer.from([2]), encodeRlp(fields)]);
}

function encodeRlp(item: RlpItem): Buffer {
  if (Buffer.isBuffer(item)) {
    const [first] = item;
    return item.length === 1 && first !== undefined && first < 0x80
      ? item
      : Buffer.concat([rlpHead(item.length, 0x80), item]);
  }
  const body = Buffer.concat(item.map(encodeRlp));
  return Buffer.concat([rlpHead(body.length, 0xc0), body]);
}

function rlpHead(length: number, base: number): Buffer {
  if (length < 56) {
    return Buffer.from([base + length]);
  }
  const bytes = toBytes(BigInt(length));
  return Buffer.concat([Buffer.from([base + 55 + bytes.length]), bytes]);
}

function toBytes(value: bigint): Buffer {
  if (value === 0n) {
    return Buffer.alloc(0);
  }
  const digits = value.toString(16);
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
}

function withoutZeros(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
}
