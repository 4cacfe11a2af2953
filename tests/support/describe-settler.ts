import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Offer, Payment, Settler } from '#payments/index.ts';

/** A settler on a network, and what can go wrong between the two. */
export interface SettlerWorld {
  /** A new settler on the same network; closed with the world. */
  open(): Promise<Settler>;
  network: string;
  makeOffer(): Offer;
  makePayment(offer: Offer, wealth: 'rich' | 'poor'): Promise<Payment>;
  balanceOf(account: string): Promise<bigint>;
  /** `unreachable`: nothing that the settler sends arrives. `silent`: it arrives, and no answer comes back. */
  setFault(fault: 'none' | 'unreachable' | 'silent'): void;
  close(): Promise<void>;
}

/** What every settler owes. Call in a test file of its own. */
export function describeSettler(name: string, openWorld: () => Promise<SettlerWorld>): void {
  describe(`the settler ${name}`, () => {
    let world: SettlerWorld;
    let settler: Settler;
    beforeAll(async () => {
      world = await openWorld();
    });
    beforeEach(async () => {
      world.setFault('none');
      settler = await world.open();
    });
    afterAll(() => world.close());

    async function make(wealth: 'rich' | 'poor' = 'rich') {
      const offer = world.makeOffer();
      return { offer, payment: await world.makePayment(offer, wealth) };
    }

    test('serves its network, is ready there, and says how long settling takes at most', async () => {
      expect([settler.supports(world.network), settler.supports('moon:1')]).toEqual([true, false]);
      expect(await settler.checkReady(world.network)).toEqual({ ready: true });
      expect(settler.limitMs).toBeGreaterThan(0);
    });

    test('settles: the amount of the offer has moved, and the transaction is told', async () => {
      const { offer, payment } = await make();
      expect(await settler.settle(payment, offer)).toEqual({
        status: 'settled',
        network: world.network,
        transaction: expect.any(String),
      });
      expect(await world.balanceOf(offer.payTo)).toBe(offer.amountAtomic);
    });

    test('many settle one payment at once, another settler too, and again later: the money moves once', async () => {
      const other = await world.open();
      const { offer, payment } = await make();
      const outcomes = await Promise.all(
        [settler, settler, settler, other].map((asked) => asked.settle(payment, offer)),
      );
      const transactions = outcomes.flatMap((outcome) => (outcome.status === 'settled' ? [outcome.transaction] : []));
      expect(new Set(transactions).size).toBe(1);
      expect(outcomes.map(({ status }) => status)).not.toContain('refused');
      expect(await settler.settle(payment, offer)).toMatchObject({ status: 'settled', transaction: transactions[0] });
      expect(await world.balanceOf(offer.payTo)).toBe(offer.amountAtomic);
    });

    test('"refused": the money did not move, and the reason is told', async () => {
      const { offer, payment } = await make('poor');
      expect(await settler.settle(payment, offer)).toMatchObject({ status: 'refused', reason: expect.any(String) });
      expect(await world.balanceOf(offer.payTo)).toBe(0n);
    });

    test('"unavailable": nothing was sent, it is not ready, and the same payment settles when it is there again', async () => {
      const { offer, payment } = await make();
      world.setFault('unreachable');
      expect((await settler.settle(payment, offer)).status).toBe('unavailable');
      expect(await settler.checkReady(world.network)).toEqual({ ready: false, cause: expect.any(String) });
      expect(await world.balanceOf(offer.payTo)).toBe(0n);
      world.setFault('none');
      expect((await settler.settle(payment, offer)).status).toBe('settled');
    });

    test('"unknown": it may have been sent; settling it again later moves the money once', async () => {
      const { offer, payment } = await make();
      world.setFault('silent');
      expect((await settler.settle(payment, offer)).status).toBe('unknown');
      world.setFault('none');
      expect((await settler.settle(payment, offer)).status).toBe('settled');
      expect(await world.balanceOf(offer.payTo)).toBe(offer.amountAtomic);
    });

    test('an offer of a scheme that it does not know is not settled', async () => {
      const { offer, payment } = await make();
      const outcome = await settler.settle(payment, { ...offer, scheme: 'another' });
      expect(outcome).toMatchObject({ status: 'unavailable' });
    });

    test('stopped, it neither settles nor rejects', async () => {
      const { offer, payment } = await make();
      await settler.stop?.();
      expect(['unavailable', 'unknown']).toContain((await settler.settle(payment, offer)).status);
      expect(await world.balanceOf(offer.payTo)).toBe(0n);
    });
  });
}
