import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  buildOffer,
  decodePayment,
  exposureOf,
  findUse,
  fromStoredOffer,
  fromStoredPayment,
  isAuthentic,
  isSamePayment,
  lookupSettlement,
  matchOffer,
  reasonsOf,
  settlePayment,
  toStoredOffer,
  toStoredPayment,
  verifyPayment,
  type Offer,
  type Payment,
  type Payments,
  type StoredOffer,
  type StoredPayment,
} from '#payments/index.ts';
import { findNetwork, getScheme } from '../../src/payments/find-scheme.ts';
import type { SettleCall } from '../../src/payments/schemes/scheme.ts';
import { encodeHeader, toRequirement } from './pay.ts';
import { listTampered, listMisshapen } from './tamper.ts';

export interface SchemePayer {
  /** The payload that an honest client would send for the offer. */
  sign(offer: Offer, changes?: { expiresAt?: number; uniquenessKey?: string }): Promise<unknown>;
}

/** Where a scheme is tried: its network, people with and without money, and payments that settle. */
export interface SchemeWorld {
  scheme: string;
  network: string;
  payments: Payments;
  /** The same network, looked at with a clock that stands at this time. */
  at(nowMs: number): Promise<Payments>;
  makePayee(): string;
  makePayer(wealth: 'rich' | 'poor'): Promise<SchemePayer>;
  balanceOf(account: string): Promise<bigint>;
  /** Somebody else executes what would settle a payment. Returns the transaction. */
  sendByStranger(call: SettleCall): Promise<string>;
  close(): Promise<void>;
}

const AMOUNT = 10_000n;
const [FAR_FUTURE_SECONDS, END_OF_9999] = [300_000_000_000, 253_402_300_799];

/** What every payment scheme owes. Call in a test file of its own. */
export function describeScheme(name: string, open: () => Promise<SchemeWorld>): void {
  describe(`the payment scheme ${name}`, () => {
    let world: SchemeWorld;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(() => world.close());

    const makeOffer = (changes: Partial<Offer> = {}): Offer => ({
      ...buildOffer(world.payments, {
        scheme: world.scheme,
        network: world.network,
        amountAtomic: AMOUNT,
        payTo: world.makePayee(),
        maxTimeoutSeconds: 300,
      }),
      ...changes,
    });
    const toHeader = (x402Version: 1 | 2, offer: Offer, payload: unknown): string => {
      const v1 = { scheme: offer.scheme, network: findNetwork(world.payments, offer.network)?.v1Name };
      const head = x402Version === 2 ? { accepted: toRequirement(offer) } : v1;
      return encodeHeader({ x402Version, ...head, payload });
    };
    const decode = (x402Version: 1 | 2, offer: Offer, payload: unknown) =>
      decodePayment(world.payments, { paymentSignature: toHeader(x402Version, offer, payload) });
    const read = (x402Version: 1 | 2, offer: Offer, payload: unknown): Payment => {
      const decoded = decode(x402Version, offer, payload);
      if (!decoded.ok) {
        throw new Error(decoded.detail);
      }
      return decoded.payment;
    };
    const payAs = async (payer: SchemePayer, offer: Offer, changes: Parameters<SchemePayer['sign']>[1] = {}) =>
      read(2, offer, await payer.sign(offer, changes));
    const payRich = async (offer: Offer, changes: Parameters<SchemePayer['sign']>[1] = {}) =>
      payAs(await world.makePayer('rich'), offer, changes);
    const schemeOf = (offer: Offer) => getScheme(world.payments, offer);
    const sendByStranger = (payment: Payment, offer: Offer) =>
      world.sendByStranger(schemeOf(offer).settleCall(payment, offer));

    test('decodes what an honest client sends, in both versions, and tells who pays, how much and until when', async () => {
      const offer = makeOffer();
      const payer = await world.makePayer('rich');
      const payload = await payer.sign(offer, { expiresAt: 2_000_000_000 });
      const [first, second] = [read(1, offer, payload), read(2, offer, payload)];
      expect(second).toMatchObject({
        scheme: world.scheme,
        network: world.network,
        maxAmountAtomic: AMOUNT,
        expiresAt: 2_000_000_000,
      });
      const { x402Version: _first, raw: _raw, ...parts } = first;
      expect(second).toMatchObject(parts);
      expect((await payAs(payer, offer)).uniquenessKey).not.toBe(second.uniquenessKey);
    });

    test('refuses payloads of another shape, naming the header and nothing that the client wrote', async () => {
      const offer = makeOffer();
      const payload = await (await world.makePayer('rich')).sign(offer);
      const details = listMisshapen(payload).map((misshapen) => {
        const decoded = decode(2, offer, misshapen);
        return decoded.ok ? `taken: ${JSON.stringify(misshapen)}` : decoded.detail;
      });
      expect(details.filter((detail) => !detail.startsWith('PAYMENT-SIGNATURE: "'))).toEqual([]);
      expect(details.filter((detail) => detail.includes('invented'))).toEqual([]);
    });

    test('a payment without an end counts as ending with the year 9999', async () => {
      expect((await payRich(makeOffer(), { expiresAt: FAR_FUTURE_SECONDS })).expiresAt).toBe(END_OF_9999);
    });

    test('matches the offer that version 2 names and version 1 signs, and no other', async () => {
      const [offer, dearer] = [makeOffer(), makeOffer({ amountAtomic: 2n * AMOUNT })];
      const payload = await (await world.makePayer('rich')).sign(offer);
      const match = (x402Version: 1 | 2, offers: Offer[]) =>
        matchOffer(world.payments, read(x402Version, offer, payload), offers);
      expect([match(2, [dearer, offer]), match(1, [dearer, offer])]).toEqual([offer, offer]);
      expect(match(2, [dearer])).toBeNull();
      expect(match(2, [{ ...offer, asset: `${offer.asset}0` }])).toBeNull();
      expect(match(2, [{ ...offer, payTo: world.makePayee() }])).toBeNull();
      expect(match(1, [{ ...offer, scheme: 'another' }, dearer])).toBe(dearer);
    });

    test('a payment is authentic, and with any character of it changed it is not or cannot be read', async () => {
      const offer = makeOffer();
      const payload = await (await world.makePayer('rich')).sign(offer);
      expect(isAuthentic(world.payments, read(2, offer, payload), offer)).toBe(true);
      const tampered = listTampered(payload);
      expect(tampered.length).toBeGreaterThan(5);
      const taken: unknown[] = [];
      for (const changed of tampered) {
        const decoded = decode(2, offer, changed);
        const isTaken =
          decoded.ok &&
          (isAuthentic(world.payments, decoded.payment, offer) ||
            (await verifyPayment(world.payments, decoded.payment, offer)).ok);
        taken.push(...(isTaken ? [changed] : []));
      }
      expect(taken).toEqual([]);
    });

    test('verifies a good payment and tells the balance; each other one is refused by its reason', async () => {
      const { payments } = world;
      const offer = makeOffer();
      const good = await payRich(offer);
      const { wrongNetwork, alreadyUsed } = schemeOf(offer).reasons;
      const { expiresTooSoon, exceedsBalance } = reasonsOf(payments, good);
      const refused = (reason: string) => ({ ok: false, reason });
      const verdict = await verifyPayment(payments, good, offer);
      expect(verdict.ok && verdict.balanceAtomic).toBeGreaterThanOrEqual(AMOUNT);
      const poor = await payAs(await world.makePayer('poor'), offer);
      expect(await verifyPayment(payments, poor, offer)).toEqual(refused(exceedsBalance));
      const late = await payRich(offer, { expiresAt: 1_000 });
      expect(await verifyPayment(payments, late, offer)).toEqual(refused(expiresTooSoon));
      expect(await verifyPayment(payments, { ...good, network: 'moon:1' }, offer)).toEqual(refused(wrongNetwork));
      expect(await verifyPayment(payments, good, makeOffer({ payTo: world.makePayee() }))).toMatchObject({ ok: false });
      const dearer = { ...offer, amountAtomic: AMOUNT + 1n };
      expect(await verifyPayment(payments, good, dearer)).toMatchObject({ ok: false });
      await settlePayment(payments, good, offer);
      expect(await verifyPayment(payments, good, offer)).toEqual(refused(alreadyUsed));
    });

    test('settling moves what was exposed, once, however often and at how many places it is asked for', async () => {
      const { payments } = world;
      const offer = makeOffer();
      const payment = await payRich(offer);
      const exposed = exposureOf(payments, payment, offer);
      const outcomes = await Promise.all([1, 2, 3].map(() => settlePayment(payments, payment, offer)));
      outcomes.push(await settlePayment(payments, payment, offer));
      expect(outcomes[0]).toMatchObject({ status: 'settled', network: world.network });
      expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
      expect(await world.balanceOf(offer.payTo)).toBe(exposed);
      expect(exposed).toBeLessThanOrEqual(payment.maxAmountAtomic);
    });

    test('what is stored as JSON is the same payment, and settles', async () => {
      const offer = makeOffer();
      const payment = await payRich(offer);
      const stored = JSON.stringify([toStoredPayment(payment, offer), toStoredOffer(offer)]);
      const [storedPayment, storedOffer] = JSON.parse(stored) as [StoredPayment, StoredOffer];
      const again = fromStoredPayment(storedPayment);
      expect(again).toEqual(payment);
      expect(isSamePayment(again, payment)).toBe(true);
      const settled = await settlePayment(world.payments, again, fromStoredOffer(storedOffer));
      expect(settled.status).toBe('settled');
    });

    test('two payments of one payer are not the same, nor is one whose payload was deleted', async () => {
      const offer = makeOffer();
      const payer = await world.makePayer('rich');
      const [one, other] = [await payAs(payer, offer), await payAs(payer, offer)];
      expect(isSamePayment(one, other)).toBe(false);
      const { payload: _payload, ...emptied } = toStoredPayment(one, offer);
      expect(isSamePayment(emptied, one)).toBe(false);
    });

    test('looked up, a payment is unused, then settled by its transaction', async () => {
      const offer = makeOffer();
      const payment = await payRich(offer);
      expect(await lookupSettlement(world.payments, payment, { offer })).toEqual({ status: 'unused' });
      const settled = await settlePayment(world.payments, payment, offer);
      expect(await lookupSettlement(world.payments, payment, { offer })).toEqual({
        status: 'settled',
        transaction: 'transaction' in settled ? settled.transaction : '',
      });
    });

    test('whoever asks whether a payment was used learns for what, by which transaction and when', async () => {
      const { payments } = world;
      const [offer, other] = [makeOffer(), makeOffer()];
      const payer = await world.makePayer('rich');
      const payment = await payAs(payer, offer);
      const wanted = { offer, since: new Date(Date.now() - 60_000) };
      expect(await findUse(payments, payment, wanted)).toEqual({ status: 'unused' });
      const transaction = await sendByStranger(payment, offer);
      const used = { status: 'settled', transaction, atMs: expect.closeTo(Date.now(), -5) as number };
      expect(await findUse(payments, payment, wanted)).toEqual(used);
      const spent = await payAs(payer, offer);
      await sendByStranger(await payAs(payer, other, { uniquenessKey: spent.uniquenessKey }), other);
      expect(await findUse(payments, spent, wanted)).toEqual({ status: 'spent' });
    });

    test('a payment that a stranger sent is found, and settling it reports the stranger’s transaction', async () => {
      const offer = makeOffer();
      const payment = await payRich(offer);
      const transaction = await sendByStranger(payment, offer);
      expect(await lookupSettlement(world.payments, payment, { offer })).toEqual({ status: 'settled', transaction });
      expect(await settlePayment(world.payments, payment, offer)).toMatchObject({ status: 'settled', transaction });
      expect(await world.balanceOf(offer.payTo)).toBe(AMOUNT);
    });

    test('what went to another payee under the same uniqueness key can never be paid', async () => {
      const [offer, other] = [makeOffer(), makeOffer()];
      const payer = await world.makePayer('rich');
      const payment = await payAs(payer, offer);
      const elsewhere = await payAs(payer, other, { uniquenessKey: payment.uniquenessKey });
      await sendByStranger(elsewhere, other);
      expect(await lookupSettlement(world.payments, payment, { offer })).toMatchObject({ status: 'expired' });
      expect(await settlePayment(world.payments, payment, offer)).toEqual({
        status: 'refused',
        reason: schemeOf(offer).reasons.alreadyUsed,
      });
    });

    test('an unused payment is expired well after its end, and not before', async () => {
      const offer = makeOffer();
      const payment = await payRich(offer);
      const lookUpAt = async (seconds: number) => {
        const payments = await world.at(seconds * 1000);
        const found = await lookupSettlement(payments, payment, { offer });
        await payments.close();
        return found.status;
      };
      expect(await lookUpAt(payment.expiresAt - 1)).toBe('unused');
      expect(await lookUpAt(payment.expiresAt + 3_600)).toBe('expired');
    });

    test('its transfers are read from a receipt and listed by blocks, for the ledger', async () => {
      const offer = makeOffer();
      const payment = await payRich(offer);
      const settled = await settlePayment(world.payments, payment, offer);
      const transaction = 'transaction' in settled ? settled.transaction : '';
      const chain = world.payments.chains.get(world.network);
      if (!chain) {
        throw new Error('unreachable');
      }
      const scheme = schemeOf(offer);
      const shown = scheme.readTransfers(chain.network, await chain.findReceipt(transaction));
      expect(shown).toHaveLength(1);
      expect(shown[0] && scheme.isTransferOf(shown[0], payment, offer)).toBe(true);
      expect(shown[0] && scheme.isTransferOf(shown[0], payment, { ...offer, amountAtomic: 1n })).toBe(false);
      const { transfers } = await scheme.listTransfers(
        chain,
        await chain.findRange({ seconds: 86_400, lagSeconds: -3_600 }),
      );
      expect(transfers).toContainEqual(shown[0]);
      expect(scheme.family.parseTransaction(transaction)).toBe(transaction);
      expect(scheme.family.parseTransaction('nonsense')).toBeNull();
    });

    test('what a facilitator gets is the payment again', async () => {
      const offer = makeOffer();
      const payment = await payRich(offer);
      const sent: unknown = JSON.parse(JSON.stringify(schemeOf(offer).toFacilitatorPayload(payment)));
      expect(isSamePayment(read(2, offer, sent), payment)).toBe(true);
    });
  });
}
