import { networks } from '../networks.ts';
import { encodeBase64Json } from './base64-json.ts';

export interface SettlementReport {
  success: boolean;
  /** Empty when nothing went on the chain. */
  transaction: string;
  /** CAIP-2. */
  network: string;
  payer: string;
  /** Why not, as one of the SDK's strings. */
  reason?: string | undefined;
  amount?: string | undefined;
}

/** PAYMENT-RESPONSE (version 2) or X-PAYMENT-RESPONSE (version 1). */
export function toSettlementHeader(x402Version: 1 | 2, report: SettlementReport): { name: string; value: string } {
  const { success, transaction, network, payer, reason, amount } = report;
  const failure = reason === undefined ? {} : { errorReason: reason };
  if (x402Version === 1) {
    const v1Name = networks[network]?.v1Name ?? network;
    return {
      name: 'X-PAYMENT-RESPONSE',
      value: encodeBase64Json({ success, ...failure, transaction, network: v1Name, payer }),
    };
  }
  const settled = amount === undefined ? {} : { amount };
  return {
    name: 'PAYMENT-RESPONSE',
    value: encodeBase64Json({ success, ...failure, payer, transaction, network, ...settled }),
  };
}
