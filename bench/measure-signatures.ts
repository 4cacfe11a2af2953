import { authorizationTypes } from '@x402/evm';
import { verifyTypedData } from 'viem/utils';
import type { Hex } from 'viem';
import { exactEip155, isAuthentic, type Payment } from '#payments/index.ts';
import { payloadOf } from '../src/payments/schemes/exact-eip155/payload.ts';
import { compare } from './compare.ts';
import { makeWallet, offerOf, signPayment } from './sign-payments.ts';
import { toSide } from './to-side.ts';

const PAYMENTS = 500;

/** Digest of the typed data and recovery of the signer, for payments that are all different. */
export async function measureSignatures(): Promise<void> {
  const offer = offerOf('0x00000000000000000000000000000000000fA7ee', 10_000n);
  const wallet = makeWallet();
  const payments = Array.from({ length: PAYMENTS }, () => signPayment(wallet, offer).payment);
  const typed = payments.map(toTypedData);
  const viem = async (index: number): Promise<boolean> => {
    const data = typed[index % PAYMENTS];
    return data !== undefined && verifyTypedData(data);
  };
  const ours = (index: number): boolean => {
    const payment = payments[index % PAYMENTS];
    return payment !== undefined && isAuthentic({ schemes: [exactEip155] }, payment, offer);
  };
  await compare({
    title: 'Signature checks (EIP-712 digest and signer of an EIP-3009 authorisation)',
    unit: 'checks',
    rounds: 7,
    aim: 10,
    ours: toSide('Farebox, payments', ours),
    theirs: toSide('viem, verifyTypedData', viem),
  });
}

function toTypedData(payment: Payment) {
  const { authorization, signature } = payloadOf(payment);
  const { from, to, value, validAfter, validBefore, nonce } = authorization;
  return {
    address: from as Hex,
    domain: {
      name: 'USDC',
      version: '2',
      chainId: 84532,
      verifyingContract: '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
    },
    types: authorizationTypes,
    primaryType: 'TransferWithAuthorization',
    message: {
      from: from as Hex,
      to: to as Hex,
      value: BigInt(value),
      validAfter: BigInt(validAfter),
      validBefore: BigInt(validBefore),
      nonce: nonce as Hex,
    },
    signature: signature as Hex,
  } as const;
}
