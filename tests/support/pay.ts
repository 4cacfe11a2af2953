import { randomBytes } from 'node:crypto';
import { authorizationTypes } from '@x402/evm';
import { privateKeyToAccount, generatePrivateKey } from 'viem/accounts';
import type { Hex, PrivateKeyAccount } from 'viem';
import { buildOffer, decodePayment, exactEip155, networks, type Offer, type Payment } from '#payments/index.ts';

export const SANDBOX_NETWORK = 'eip155:84532';

/** What the server is started with; other schemes have tests of their own. */
export const schemeList = { schemes: [exactEip155] };

export interface SignedPayload {
  signature: string;
  authorization: { from: string; to: string; value: string; validAfter: string; validBefore: string; nonce: string };
}

export function makeAccount(): PrivateKeyAccount {
  return privateKeyToAccount(generatePrivateKey());
}

export function makeOffer(changes: Partial<Parameters<typeof buildOffer>[1]> = {}): Offer {
  return buildOffer(schemeList, {
    scheme: 'exact',
    network: SANDBOX_NETWORK,
    amountAtomic: 10_000n,
    payTo: '0x00000000000000000000000000000000000fA7ee',
    maxTimeoutSeconds: 300,
    ...changes,
  });
}

/** What an official client signs for the offer; `from` lets a contract wallet's owner sign for the wallet. */
export async function signOffer(
  account: PrivateKeyAccount,
  offer: Offer,
  changes: Partial<SignedPayload['authorization']> = {},
): Promise<SignedPayload> {
  const authorization = {
    from: account.address as string,
    to: offer.payTo,
    value: offer.amountAtomic.toString(),
    validAfter: '0',
    validBefore: String(Math.floor(Date.now() / 1000) + offer.maxTimeoutSeconds),
    nonce: `0x${randomBytes(32).toString('hex')}`,
    ...changes,
  };
  const signature = await account.signTypedData({
    domain: {
      ...offer.extra,
      chainId: Number(offer.network.slice('eip155:'.length)),
      verifyingContract: offer.asset as Hex,
    },
    types: authorizationTypes,
    primaryType: 'TransferWithAuthorization',
    message: {
      from: authorization.from as Hex,
      to: authorization.to as Hex,
      value: BigInt(authorization.value),
      validAfter: BigInt(authorization.validAfter),
      validBefore: BigInt(authorization.validBefore),
      nonce: authorization.nonce as Hex,
    },
  });
  return { signature, authorization };
}

export function toRequirement(offer: Offer): Record<string, unknown> {
  const { amountAtomic, ...rest } = offer;
  return { ...rest, amount: amountAtomic.toString() };
}

/** The JSON that a client puts into its header. */
export function toEnvelope(x402Version: 1 | 2, offer: Offer, payload: SignedPayload): Record<string, unknown> {
  return x402Version === 2
    ? { x402Version, accepted: toRequirement(offer), payload }
    : { x402Version, scheme: offer.scheme, network: networks[offer.network]?.v1Name, payload };
}

export function encodeHeader(envelope: unknown): string {
  return Buffer.from(JSON.stringify(envelope)).toString('base64');
}

/** A payment as the gateway holds it after reading the header. */
export function toPayment(x402Version: 1 | 2, offer: Offer, payload: SignedPayload): Payment {
  const decoded = decodePayment(schemeList, {
    paymentSignature: encodeHeader(toEnvelope(x402Version, offer, payload)),
  });
  if (!decoded.ok) {
    throw new Error(decoded.detail);
  }
  return decoded.payment;
}

export async function pay(
  account: PrivateKeyAccount,
  offer: Offer,
  changes: Partial<SignedPayload['authorization']> = {},
): Promise<Payment> {
  return toPayment(2, offer, await signOffer(account, offer, changes));
}
