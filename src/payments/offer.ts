import type { Json } from '#kit/index.ts';

/** One way to pay: scheme x network x asset x amount x payTo. */
export interface Offer {
  scheme: string;
  /** CAIP-2. */
  network: string;
  asset: string;
  amountAtomic: bigint;
  payTo: string;
  maxTimeoutSeconds: number;
  /** What else the scheme tells its payers; on EVM the EIP-712 domain of the token. */
  extra: { [name: string]: Json };
  /** The money moves before anything runs; absent: at last. */
  paymentFlow?: 'upfront';
  /** A call is answered with 202 first, and its answer is fetched later. */
  runsLong?: true;
  /** When money moves for it, as the seller names that; no part of what a payment is matched to. */
  settlementPoint?: string;
}

/** `extra` of an offer as clients and facilitators read it. */
export function toWireExtra({ extra, ...offer }: Offer): Offer['extra'] {
  return { ...extra, ...toManner(offer) };
}

export type Manner = Pick<Offer, 'paymentFlow' | 'runsLong' | 'settlementPoint'>;

/** Only what is told. */
export function toManner({ paymentFlow, runsLong, settlementPoint }: Manner): Manner {
  return {
    ...(paymentFlow ? { paymentFlow } : {}),
    ...(runsLong ? { runsLong } : {}),
    ...(settlementPoint ? { settlementPoint } : {}),
  };
}
