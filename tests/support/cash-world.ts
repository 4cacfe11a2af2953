import { randomUUID } from 'node:crypto';
import { systemClock, type Clock } from '#kit/index.ts';
import { buildOffer, decodePayment, openPayments, type Offer, type Payment, type Payments } from '#payments/index.ts';
import { openCashBank, type SealedOrder } from './cash-bank.ts';
import { CASH_NETWORK, openCashScheme } from './cash-scheme.ts';
import { openCashSettler, type CashSettler } from './cash-settler.ts';
import type { SchemePayer, SchemeWorld } from './describe-scheme.ts';
import type { SettlerWorld } from './describe-settler.ts';
import { encodeHeader, toRequirement } from './pay.ts';
import { quietLog } from './test-chain.ts';

const WEALTH = { rich: 1_000_000n, poor: 0n };

/** The cash scheme with its bank, its settler and its customers: what the contract suites ask for. */
export function openCashWorld() {
  const bank = openCashBank();
  const schemes = [openCashScheme(bank)];
  const settlers: CashSettler[] = [];
  const open = (clock: Clock): Payments =>
    openPayments({
      schemes,
      networks: [CASH_NETWORK],
      rpcUrls: new Map(),
      facilitatorUrls: [],
      settlerPrivateKeys: [],
      openSettlers: (deps) => {
        const settler = openCashSettler(deps, bank);
        settlers.push(settler);
        return [settler];
      },
      clock,
      log: quietLog,
    });
  const payments = open(systemClock);
  const makePayer = async (wealth: 'rich' | 'poor'): Promise<SchemePayer> => {
    const from = bank.openAccount(WEALTH[wealth]);
    return {
      sign: async (offer, changes = {}) =>
        bank.seal({
          from,
          to: offer.payTo,
          amount: offer.amountAtomic.toString(),
          number: changes.uniquenessKey ?? randomUUID(),
          endsAt: changes.expiresAt ?? Math.floor(Date.now() / 1000) + offer.maxTimeoutSeconds,
        }),
    };
  };
  const scheme: SchemeWorld = {
    scheme: 'cash',
    network: CASH_NETWORK,
    payments,
    at: async (nowMs) => open({ now: () => nowMs }),
    makePayee: () => bank.openAccount(0n),
    makePayer,
    balanceOf: async (account) => bank.balanceOf(account),
    sendByStranger: async ({ data }) => {
      const booking = bank.carryOut(JSON.parse(data) as SealedOrder, Math.floor(Date.now() / 1000));
      return booking.ok ? booking.transaction : booking.reason;
    },
    close: () => payments.close(),
  };
  return { bank, scheme, settler: toSettlerWorld(scheme, settlers, () => open(systemClock)) };
}

function toSettlerWorld(world: SchemeWorld, settlers: CashSettler[], open: () => Payments): SettlerWorld {
  const { network, payments } = world;
  return {
    network,
    open: async () => {
      const [settler] = open().settlers;
      if (!settler) {
        throw new Error('unreachable');
      }
      return settler;
    },
    makeOffer: () =>
      buildOffer(payments, {
        scheme: 'cash',
        network,
        amountAtomic: 10_000n,
        payTo: world.makePayee(),
        maxTimeoutSeconds: 300,
      }),
    makePayment: async (offer, wealth) => toPayment(payments, offer, await (await world.makePayer(wealth)).sign(offer)),
    balanceOf: world.balanceOf,
    setFault: (fault) => {
      const mood = { none: 'good', unreachable: 'busy', silent: 'forgetful' } as const;
      settlers.forEach((settler) => {
        settler.mood = mood[fault];
      });
    },
    close: world.close,
  };
}

function toPayment(payments: Payments, offer: Offer, payload: unknown): Payment {
  const header = encodeHeader({ x402Version: 2, accepted: toRequirement(offer), payload });
  const decoded = decodePayment(payments, { paymentSignature: header });
  if (!decoded.ok) {
    throw new Error(decoded.detail);
  }
  return decoded.payment;
}
