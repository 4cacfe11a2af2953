import { beforeEach, expect, test } from 'vitest';
import { publishedVersion } from '../../tests/support/execution-deps.ts';
import { insertCall } from '../../tests/support/insert-call.ts';
import { makeAccount, makeOffer, pay, schemeList } from '../../tests/support/pay.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { offerVersion } from './offer-version.ts';
import { isOwnUse } from './own-use.ts';

/* When a payment that was used on the chain may buy here: what was signed names payee and amount, and no seller. */
const database = useTestDatabase();
const SECOND = 1_000;
const now = Math.floor(Date.now() / 1000) * 1000;
const version = publishedVersion({
  offers: [{ scheme: 'exact', network: 'eip155:84532', amountAtomic: 10_000n, payTo: makeAccount().address }],
  publishedAt: new Date(now - 60 * SECOND + 500),
});

const deps = () => ({ database: database.current });
const offerDeps = { payments: schemeList as never, publicUrl: 'https://farebox.test', kinds: new Map() };

beforeEach(() => database.current.system.query('DELETE FROM calls'));

/** Signed for the offer now, for so many seconds; as long as the offer says unless told. */
async function sign(validSeconds?: number) {
  const [offer] = offerVersion(offerDeps, version).offers;
  if (!offer) {
    throw new Error('unreachable');
  }
  const seconds = validSeconds ?? offer.maxTimeoutSeconds;
  const payment = await pay(makeAccount(), offer, { validBefore: String(now / 1000 + seconds) });
  return { payment, offer, offeredAt: version.publishedAt, fingerprint: 'f' };
}

test('a transfer that was made since the offer was published, by a payment signed for no longer than it says, may buy', async () => {
  const asked = await sign();
  expect(await isOwnUse(deps(), asked, now)).toBe(true);
  expect(await isOwnUse(deps(), asked, now - 20 * SECOND)).toBe(true);
});

test('a payment that was spent before the offer was published buys nothing', async () => {
  const asked = await sign(100);
  expect(await isOwnUse(deps(), asked, now - 60 * SECOND)).toBe(true);
  expect(await isOwnUse(deps(), asked, now - 61 * SECOND)).toBe(false);
});

test('a payment that was signed for longer than the offer says was meant for another seller', async () => {
  const asked = await sign(300);
  expect(await isOwnUse(deps(), asked, now)).toBe(false);
});

test('a call here that was worked for, for the same request, shows that the payment was meant for here, for as long as the offer says', async () => {
  const asked = await sign(36_000);
  await insertCall(database.current, { ...asked, state: 'failed', ageSeconds: 30 });
  const madeAt = now - 30 * SECOND;
  expect(await isOwnUse(deps(), asked, now)).toBe(true);
  expect(await isOwnUse(deps(), asked, madeAt - 10 * SECOND)).toBe(false);
  expect(await isOwnUse(deps(), asked, madeAt + (asked.offer.maxTimeoutSeconds + 10) * SECOND)).toBe(false);
  expect(await isOwnUse(deps(), { ...asked, fingerprint: 'another' }, now)).toBe(false);
});

test('a call that was refused before any work shows nothing, nor does a call with another signature', async () => {
  const asked = await sign(36_000);
  await insertCall(database.current, { ...asked, state: 'refused', ageSeconds: 30 });
  const payload = { signature: '0x00', authorization: {} };
  const forged = { ...asked.payment, payload };
  await insertCall(database.current, { ...asked, payment: forged, state: 'failed', ageSeconds: 30 });
  expect(await isOwnUse(deps(), asked, now)).toBe(false);
});

test('an offer that was replaced a moment ago counts from its own publication', async () => {
  const replaced = makeOffer({ amountAtomic: 20_000n, maxTimeoutSeconds: 180 });
  const payment = await pay(makeAccount(), replaced, { validBefore: String(now / 1000 + 100) });
  const asked = { payment, offer: replaced, offeredAt: new Date(now - 80 * SECOND), fingerprint: 'f' };
  expect(await isOwnUse(deps(), asked, now - 70 * SECOND)).toBe(true);
  expect(await isOwnUse(deps(), asked, now - 90 * SECOND)).toBe(false);
});
