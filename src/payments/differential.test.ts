import type { x402Facilitator } from '@x402/core/facilitator';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { mutationsOfAccepted, mutationsOfShape, mutationsOfV1 } from '../../tests/support/mutate-envelope.ts';
import { mutationsOfContent, type Mutation, type Subject } from '../../tests/support/mutate-payment.ts';
import { openTestPayments } from '../../tests/support/open-test-payments.ts';
import { encodeHeader, makeAccount, makeOffer, pay, schemeList } from '../../tests/support/pay.ts';
import { askSdk, openSdkFacilitator, type Opinion } from '../../tests/support/sdk-facilitator.ts';
import { useTestChain } from '../../tests/support/test-chain.ts';
import { decodePayment, matchOffer, settlePayment, verifyPayment, type Payments } from './index.ts';

const addressCase = 'An address means the same in any case; the SDK refuses what has a wrong EIP-55 checksum.';
const echoCase = 'The echo of our own offer is compared by meaning; the SDK compares texts and field names.';
const digits = 'Numbers are decimal digits in text (issue #3510 of x402); the SDK takes whatever BigInt() takes.';
const noRoom = 'Nothing may stand beside what is signed; the SDK ignores it.';

/** Where our verdict differs from the SDK's on purpose: who takes the payment, and why. */
const verdictDiffers: Record<string, { taken: 'by us' | 'by the SDK'; why: string }> = {
  'signature: v as 0 or 1': {
    taken: 'by us',
    why: 'Some wallets write the parity. It is the same signature; we send it to the chain as 27 or 28.',
  },
  'to: upper-case digits': { taken: 'by us', why: addressCase },
  'to: wrong checksum': { taken: 'by us', why: addressCase },
  'from: upper-case digits': { taken: 'by us', why: addressCase },
  'from: wrong checksum': { taken: 'by us', why: addressCase },
  'accepted: asset in lower case': { taken: 'by us', why: echoCase },
  'accepted: payTo in lower case': { taken: 'by us', why: echoCase },
  'accepted: a field of its own': { taken: 'by us', why: echoCase },
  'version 1: network in CAIP-2': {
    taken: 'by us',
    why: 'The signature binds the chain id; both names of the network are unambiguous.',
  },
  'value: hexadecimal': { taken: 'by the SDK', why: digits },
  'value: a blank before': { taken: 'by the SDK', why: digits },
  'value: a plus': { taken: 'by the SDK', why: digits },
  'value: a number instead of text': { taken: 'by the SDK', why: digits },
  'validAfter: is empty text': { taken: 'by the SDK', why: digits },
  'authorization: an extra field': { taken: 'by the SDK', why: noRoom },
  'payload: an extra field': { taken: 'by the SDK', why: noRoom },
};

/** Both refuse, for reasons that differ on purpose. */
const reasonDiffers: Record<string, string> = {
  'signature: high s, v flipped': 'The token refuses a high s as a bad signature; the SDK learns of it by simulating.',
};

/** Refused before anything is compared: here ours is the HTTP 400 of the specification, and the SDK throws or guesses. */
const unreadable = new Set(['invalid_payload', 'invalid_x402_version', 'too_large']);

const chain = useTestChain();
let payments: Payments;
let sdk: x402Facilitator;
let subject: Omit<Subject, 'x402Version'>;

beforeAll(async () => {
  payments = await openTestPayments(chain);
  sdk = await openSdkFacilitator(chain);
  const account = makeAccount();
  await chain.current.faucet.send(account.address);
  const offer = makeOffer({ payTo: makeAccount().address });
  const used = await pay(account, offer);
  await settlePayment(payments, used, offer);
  // The edges of the window are told apart to the second: both sides look at the time of the last block, standing still.
  const nowSeconds = Number((await chain.client.getBlock()).timestamp);
  vi.useFakeTimers({ toFake: ['Date'], now: nowSeconds * 1000 + 500 });
  subject = { account, stranger: makeAccount(), offer, usedNonce: used.uniquenessKey, nowSeconds };
});

afterAll(async () => {
  vi.useRealTimers();
  await payments.close();
});

async function askUs(envelope: unknown): Promise<Opinion> {
  const decoded = decodePayment(schemeList, { paymentSignature: encodeHeader(envelope) });
  if (!decoded.ok) {
    return { isTaken: false, reason: decoded.problem };
  }
  const offer = matchOffer(schemeList, decoded.payment, [subject.offer]);
  if (!offer) {
    return { isTaken: false, reason: 'no matching requirements' };
  }
  const verdict = await verifyPayment(payments, decoded.payment, offer);
  expect(verdict).not.toHaveProperty('retryable');
  return { isTaken: verdict.ok, reason: verdict.ok ? '' : verdict.reason };
}

async function compare(mutation: Mutation, x402Version: 1 | 2): Promise<string[]> {
  const made: unknown = await mutation.make({ ...subject, x402Version });
  const envelope: unknown = JSON.parse(JSON.stringify(made));
  const [ours, theirs] = [await askUs(envelope), await askSdk(sdk, envelope, subject.offer)];
  const where = `v${x402Version} ${mutation.name}: we say "${ours.reason || 'taken'}", the SDK "${theirs.reason || 'taken'}"`;
  const listed = verdictDiffers[mutation.name];
  if (listed) {
    const isAsListed =
      ours.isTaken === (listed.taken === 'by us') && theirs.isTaken === (listed.taken === 'by the SDK');
    return isAsListed ? [] : [`listed otherwise: ${where}`];
  }
  if (ours.isTaken !== theirs.isTaken) {
    return [`verdict: ${where}`];
  }
  const isSameReason = ours.reason === theirs.reason || unreadable.has(ours.reason) || matchesV1Name(ours, theirs);
  return isSameReason || reasonDiffers[mutation.name] ? [] : [`reason: ${where}`];
}

/** Version 1 has no step that compares requirements; the SDK's facilitator names the network or the scheme instead. */
function matchesV1Name(ours: Opinion, theirs: Opinion): boolean {
  return ours.reason === 'no matching requirements' && theirs.reason === 'invalid_exact_evm_network_mismatch';
}

const cases: [Mutation, 1 | 2][] = [
  ...[...mutationsOfContent, ...mutationsOfShape].flatMap((mutation): [Mutation, 1 | 2][] => [
    [mutation, 1],
    [mutation, 2],
  ]),
  ...mutationsOfAccepted.map((mutation): [Mutation, 1 | 2] => [mutation, 2]),
  ...mutationsOfV1.map((mutation): [Mutation, 1 | 2] => [mutation, 1]),
];

test(`the SDK's facilitator and we give the same verdict on ${cases.length} payments, or the difference is listed`, async () => {
  expect(cases.length).toBeGreaterThanOrEqual(500);
  const differences: string[] = [];
  for (const [mutation, x402Version] of cases) {
    differences.push(...(await compare(mutation, x402Version)));
  }
  expect(differences).toEqual([]);
}, 120_000);

test('the tables list nothing that is not tried', () => {
  const names = new Set(cases.map(([mutation]) => mutation.name));
  expect([...Object.keys(verdictDiffers), ...Object.keys(reasonDiffers)].filter((name) => !names.has(name))).toEqual(
    [],
  );
});
