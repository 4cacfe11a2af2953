import { randomBytes } from 'node:crypto';
import secp256k1 from 'secp256k1';
import { keccak256, toChecksumAddress } from '#kit/index.ts';
import { buildOffer, decodePayment, exactEip155, type Offer, type Payment } from '#payments/index.ts';
import { toDigest } from '../src/payments/schemes/exact-eip155/eip3009.ts';

export const NETWORK = 'eip155:84532';
const schemeList = { schemes: [exactEip155] };

export interface Wallet {
  secret: Buffer;
  address: `0x${string}`;
}

export function makeWallet(): Wallet {
  const secret = randomBytes(32);
  const publicKey = Buffer.from(secp256k1.publicKeyCreate(secret, false));
  return { secret, address: toChecksumAddress(`0x${keccak256(publicKey.subarray(1)).toString('hex', 12)}`) };
}

export function toPrivateKey({ secret }: Wallet): `0x${string}` {
  return `0x${secret.toString('hex')}`;
}

export function offerOf(payTo: string, amountAtomic: bigint): Offer {
  return buildOffer(schemeList, { scheme: 'exact', network: NETWORK, amountAtomic, payTo, maxTimeoutSeconds: 300 });
}

/** What the server asks for, from the 402 of an unpaid request. */
export async function readOffer(url: string, request: Omit<RequestInit, 'method'> = {}): Promise<Offer> {
  const response = await fetch(url, { ...request, method: 'POST' });
  await response.arrayBuffer();
  const required = Buffer.from(response.headers.get('payment-required') ?? '', 'base64').toString();
  if (required === '') {
    throw new Error(`${url} answered ${response.status} where a 402 was expected.`);
  }
  const { accepts } = JSON.parse(required) as { accepts: (Omit<Offer, 'amountAtomic'> & { amount: string })[] };
  if (!accepts[0]) {
    throw new Error(`${url} offers no way to pay.`);
  }
  const { amount, ...rest } = accepts[0];
  return { ...rest, amountAtomic: BigInt(amount) };
}

/** The header that an official client would send for the offer, signed natively because thousands are needed. */
export function signPayment(wallet: Wallet, offer: Offer): { header: string; payment: Payment } {
  const authorization = {
    from: wallet.address,
    to: offer.payTo,
    value: offer.amountAtomic.toString(),
    validAfter: '0',
    validBefore: String(Math.floor(Date.now() / 1000) + offer.maxTimeoutSeconds),
    nonce: `0x${randomBytes(32).toString('hex')}`,
  };
  const unsigned = toHeader(offer, { authorization, signature: `0x${'00'.repeat(65)}` });
  const { signature, recid } = secp256k1.ecdsaSign(toDigest(read(unsigned), offer), wallet.secret);
  const text = `0x${Buffer.from(signature).toString('hex')}${(27 + recid).toString(16)}`;
  const header = toHeader(offer, { authorization, signature: text });
  return { header, payment: read(header) };
}

function toHeader(offer: Offer, payload: unknown): string {
  const { amountAtomic, ...rest } = offer;
  const envelope = { x402Version: 2, accepted: { ...rest, amount: amountAtomic.toString() }, payload };
  return Buffer.from(JSON.stringify(envelope)).toString('base64');
}

function read(header: string): Payment {
  const decoded = decodePayment(schemeList, { paymentSignature: header });
  if (!decoded.ok) {
    throw new Error(decoded.detail);
  }
  return decoded.payment;
}
