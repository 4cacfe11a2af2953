import { createHmac, randomBytes } from 'node:crypto';
import { canonicalJson } from '#kit/index.ts';

/** What a customer signs: a sum for one payee, once per number, until a time (seconds since the epoch). */
export interface Order {
  from: string;
  to: string;
  amount: string;
  number: string;
  endsAt: number;
}

export interface SealedOrder {
  order: Order;
  /** HMAC-SHA256 over the order with the customer's key, as hexadecimal digits. */
  seal: string;
}

export interface Booked extends Order {
  transaction: string;
  at: number;
}

export type Booking = { ok: true; transaction: string } | { ok: false; reason: BankReason };
export type BankReason = 'forged' | 'too_late' | 'number_used' | 'too_little';

/** One bank: the whole network of the cash scheme, in memory. */
export interface CashBank {
  /** The bank does not answer at all while this is set. */
  isClosed: boolean;
  openAccount(balance: bigint): string;
  balanceOf(account: string): bigint;
  seal(order: Order): SealedOrder;
  isSealed(sealed: SealedOrder): boolean;
  /** Why an order would not be carried out now; `null` when it would be. */
  findProblem(sealed: SealedOrder, nowSeconds: number): BankReason | null;
  /** Whoever brings an order has it carried out; a number moves money once. */
  carryOut(sealed: SealedOrder, nowSeconds: number): Booking;
  findByNumber(from: string, number: string): Booked | null;
  findByTransaction(transaction: string): Booked | null;
  listBooked(): readonly Booked[];
}

export function openCashBank(): CashBank {
  const accounts = new Map<string, { balance: bigint; key: Buffer }>();
  const booked: Booked[] = [];
  const toSeal = (order: Order): string => {
    const key = accounts.get(order.from)?.key ?? randomBytes(32);
    return createHmac('sha256', key).update(canonicalJson(order)).digest('hex');
  };
  const assertOpen = (): void => {
    if (bank.isClosed) {
      throw new Error('The bank is closed.');
    }
  };
  const findByNumber = (from: string, number: string): Booked | null => {
    assertOpen();
    return booked.find((entry) => entry.from === from && entry.number === number) ?? null;
  };
  const bank: CashBank = {
    isClosed: false,
    openAccount: (balance) => {
      const name = `account-${randomBytes(6).toString('hex')}`;
      accounts.set(name, { balance, key: randomBytes(32) });
      return name;
    },
    balanceOf: (account) => accounts.get(account)?.balance ?? 0n,
    seal: (order) => ({ order, seal: toSeal(order) }),
    isSealed: ({ order, seal }) => seal === toSeal(order),
    findProblem: ({ order, seal }, nowSeconds) => {
      if (seal !== toSeal(order)) {
        return 'forged';
      }
      if (findByNumber(order.from, order.number)) {
        return 'number_used';
      }
      if (order.endsAt < nowSeconds) {
        return 'too_late';
      }
      return bank.balanceOf(order.from) < BigInt(order.amount) ? 'too_little' : null;
    },
    carryOut: (sealed, nowSeconds) => {
      assertOpen();
      const { order } = sealed;
      const reason = bank.findProblem(sealed, nowSeconds);
      const [from, to] = [accounts.get(order.from), accounts.get(order.to)];
      if (reason || !from || !to) {
        return { ok: false, reason: reason ?? 'forged' };
      }
      from.balance -= BigInt(order.amount);
      to.balance += BigInt(order.amount);
      const transaction = `till-${booked.length + 1}`;
      booked.push({ ...order, transaction, at: nowSeconds });
      return { ok: true, transaction };
    },
    findByNumber,
    findByTransaction: (transaction) => {
      assertOpen();
      return booked.find((entry) => entry.transaction === transaction) ?? null;
    },
    listBooked: () => booked,
  };
  return bank;
}
