import { z } from 'zod';
import type { Payment, Scheme } from '#payments/index.ts';
import type { Chain, Network, NetworkFamily } from '../../src/payments/network.ts';
import type { DecodedPayload, Transfer } from '../../src/payments/schemes/scheme.ts';
import type { LookedUp, Verdict } from '../../src/payments/verdict.ts';
import type { BankReason, Booked, CashBank, SealedOrder } from './cash-bank.ts';

export const CASH_NETWORK = 'cash:till';

export interface CashChain extends Chain {
  bank: CashBank;
}

const network: Network = {
  caip2: CASH_NETWORK,
  v1Name: 'till',
  name: 'Till',
  isTestnet: true,
  asset: { address: 'coin', decimals: 6 },
};
const digits = z.string().regex(/^\d{1,30}$/, 'expected a whole number in decimal digits');
const shape = z.strictObject({
  order: z.strictObject({
    from: z.string().min(1).max(64),
    to: z.string().min(1).max(64),
    amount: digits,
    number: z.string().min(1).max(64),
    endsAt: z.number().int().positive(),
  }),
  seal: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 hexadecimal digits'),
});

const reasonOf: Record<BankReason, string> = {
  forged: 'cash_forged',
  too_late: 'cash_too_late',
  number_used: 'cash_number_used',
  too_little: 'cash_too_little',
};
const noGas = { shared: 0n, alone: 0n, contract: 0n };

/** The smallest scheme: exact sums, by orders that a bank in memory carries out. Neither a chain nor EVM. */
export function openCashScheme(bank: CashBank): Scheme<CashChain> {
  return {
    name: 'cash',
    family: toFamily(bank),
    reasons: {
      wrongNetwork: 'cash_wrong_network',
      expiresTooSoon: reasonOf.too_late,
      exceedsBalance: reasonOf.too_little,
      alreadyUsed: reasonOf.number_used,
      transactionFailed: 'cash_failed',
      beforeSending: new Set(Object.values(reasonOf)),
    },
    offer: (_network, payTo) => ({ asset: network.asset.address, payTo, extra: { unit: 'coin' } }),
    decode,
    accepts: (accepted, offer) =>
      accepted.asset === offer.asset && accepted.payTo === offer.payTo && accepted.extra?.['unit'] === 'coin',
    isMeantFor: (payment, offer) => isMeantFor(payment, offer),
    isAuthentic: (payment) => bank.isSealed(sealedOf(payment)),
    verify: async (chain, payment, { offer, nowMs, marginSeconds }): Promise<Verdict> => {
      const problem = chain.bank.findProblem(sealedOf(payment), Math.floor(nowMs / 1000) + marginSeconds);
      if (problem !== null) {
        return { ok: false, reason: reasonOf[problem] };
      }
      return isMeantFor(payment, offer)
        ? { ok: true, balanceAtomic: chain.bank.balanceOf(payment.payer) }
        : { ok: false, reason: 'cash_not_for_us' };
    },
    exposure: (_payment, offer) => offer.amountAtomic,
    settleCall: (payment) => ({ to: 'bank', data: JSON.stringify(sealedOf(payment)), gas: noGas }),
    simulate: async (chain, payment, { offer }) => {
      const problem = chain.bank.findProblem(sealedOf(payment), 0);
      const booked = chain.bank.findByNumber(payment.payer, payment.uniquenessKey);
      if (booked && isTransferOf(toTransfer(booked), payment, offer)) {
        return { kind: 'settled', transaction: booked.transaction };
      }
      return problem === null ? { kind: 'payable' } : { kind: 'refused', reason: reasonOf[problem] };
    },
    toFacilitatorPayload: sealedOf,
    isUsed: async (chain, payment) => chain.bank.findByNumber(payment.payer, payment.uniquenessKey) !== null,
    lookUp: async (chain, payment, { offer, nowMs }): Promise<LookedUp> => {
      const booked = chain.bank.findByNumber(payment.payer, payment.uniquenessKey);
      if (booked) {
        return isTransferOf(toTransfer(booked), payment, offer)
          ? { status: 'settled', transaction: booked.transaction }
          : { status: 'expired', reason: reasonOf.number_used };
      }
      return payment.expiresAt * 1000 < nowMs ? { status: 'expired', reason: reasonOf.too_late } : { status: 'unused' };
    },
    isTransferOf,
    readTransfers: (_network, receipt) => (isBooked(receipt) ? [toTransfer(receipt)] : []),
    listTransfers: async (chain, { fromBlock, toBlock }) => ({
      transfers: chain.bank.listBooked().slice(fromBlock, toBlock).map(toTransfer),
      fromTimestamp: 0,
      toTimestamp: 253_402_300_799,
    }),
  };
}

function toFamily(bank: CashBank): NetworkFamily<CashChain> {
  return {
    name: 'cash',
    networks: { [CASH_NETWORK]: network },
    openChain: () => ({
      network,
      bank,
      findReceipt: async (transaction) => bank.findByTransaction(transaction),
      findTime: async (transaction) => bank.findByTransaction(transaction)?.at ?? null,
      findRange: async () => ({ fromBlock: 0, toBlock: bank.listBooked().length }),
      close: async () => {},
    }),
    parsePayee: (text) => (text === '' ? { message: 'Name who is paid.' } : { value: text }),
    parseTransaction: (text) => (/^till-\d+$/.test(text) ? text : null),
  };
}

function decode(value: unknown): DecodedPayload {
  const parsed = shape.safeParse(value);
  if (!parsed.success) {
    return { ok: false, detail: `"payload" is not a sealed order: ${parsed.error.issues[0]?.path.join('.')}.` };
  }
  const { order } = parsed.data;
  return {
    ok: true,
    parts: {
      asset: network.asset.address,
      payer: order.from,
      uniquenessKey: order.number,
      maxAmountAtomic: BigInt(order.amount),
      expiresAt: Math.min(order.endsAt, 253_402_300_799),
      payload: parsed.data,
    },
  };
}

function sealedOf(payment: Payment): SealedOrder {
  return payment.payload as SealedOrder;
}

function isMeantFor(payment: Payment, offer: { payTo: string; amountAtomic: bigint }): boolean {
  return payment.maxAmountAtomic === offer.amountAtomic && sealedOf(payment).order.to === offer.payTo;
}

function isTransferOf(transfer: Transfer, payment: Payment, offer: { payTo: string; amountAtomic: bigint }): boolean {
  return (
    transfer.from === payment.payer &&
    transfer.uniquenessKey === payment.uniquenessKey &&
    transfer.to === offer.payTo &&
    transfer.valueAtomic === offer.amountAtomic
  );
}

function isBooked(receipt: unknown): receipt is Booked {
  return typeof receipt === 'object' && receipt !== null && 'transaction' in receipt && 'number' in receipt;
}

function toTransfer({ transaction, number, from, to, amount }: Booked): Transfer {
  return { transaction, uniquenessKey: number, from, to, valueAtomic: BigInt(amount) };
}
