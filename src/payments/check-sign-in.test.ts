import { createSIWxPayload, encodeSIWxHeader, type CompleteSIWxInfo } from '@x402/extensions/sign-in-with-x';
import type { PrivateKeyAccount } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeContractWallet } from '../../tests/support/contract-wallet.ts';
import { openTestPayments } from '../../tests/support/open-test-payments.ts';
import { makeAccount, makeOffer, signOffer, toPayment } from '../../tests/support/pay.ts';
import { useTestChain } from '../../tests/support/test-chain.ts';
import { checkSignIn } from './check-sign-in.ts';
import type { Payments } from './open-payments.ts';
import { declareSignIn, type SignInTerms } from './wire/sign-in-with-x.ts';

const chain = useTestChain();
const offer = makeOffer();
const terms: SignInTerms = {
  url: 'https://pay.example.com/@ada/essay',
  network: offer.network,
  nonce: '0123456789abcdef0123456789abcdef',
  nowMs: Date.now(),
};
let payments: Payments;

beforeAll(async () => {
  payments = await openTestPayments(chain);
});
afterAll(() => payments.close());

type Changes = { [Name in keyof CompleteSIWxInfo]?: CompleteSIWxInfo[Name] | undefined };

/** The header of the SDK's client, for what the server declares; `address` differs where a contract is the wallet. */
async function signIn(signer: PrivateKeyAccount, address: string, changes: Changes = {}) {
  const { info, supportedChains } = declareSignIn(terms) as unknown as {
    info: CompleteSIWxInfo;
    supportedChains: [Pick<CompleteSIWxInfo, 'chainId' | 'type'>];
  };
  const wallet = { address, signMessage: signer.signMessage };
  const payload = await createSIWxPayload(
    { ...info, ...supportedChains[0], ...changes } as CompleteSIWxInfo,
    wallet,
    terms.url,
  );
  return encodeSIWxHeader(payload);
}

async function check(header: string, payer: PrivateKeyAccount, from?: string): Promise<boolean> {
  const payment = toPayment(2, offer, await signOffer(payer, offer, from === undefined ? {} : { from }));
  return checkSignIn(payments, header, { payment, terms, mayAskChain: async () => true });
}

test('the wallet that paid signs in, as the official client writes the message', async () => {
  const payer = makeAccount();
  expect(await check(await signIn(payer, payer.address), payer)).toBe(true);
});

test.each<[string, Changes]>([
  ['without a statement', { statement: undefined }],
  [
    'with all that a message may hold',
    { notBefore: new Date(0).toISOString(), requestId: 'r1', resources: [terms.url] },
  ],
])('so does it %s', async (_, changes) => {
  const payer = makeAccount();
  expect(await check(await signIn(payer, payer.address, changes), payer)).toBe(true);
});

test('a contract wallet signs in by its owner (ERC-1271), and nobody else does in its name', async () => {
  const [owner, stranger] = [makeAccount(), makeAccount()];
  const wallet = await makeContractWallet(chain, owner);
  expect(await check(await signIn(owner, wallet), owner, wallet)).toBe(true);
  expect(await check(await signIn(stranger, wallet), owner, wallet)).toBe(false);
});

test('another wallet does not, nor does a field that would write a line into the message', async () => {
  const payer = makeAccount();
  const stranger = makeAccount();
  expect(await check(await signIn(stranger, stranger.address), payer)).toBe(false);
  expect(await check(await signIn(stranger, payer.address), payer)).toBe(false);
  const honest = JSON.parse(Buffer.from(await signIn(payer, payer.address), 'base64').toString()) as object;
  const forged = Buffer.from(JSON.stringify({ ...honest, requestId: `1\nResources:` })).toString('base64');
  expect(await check(forged, payer)).toBe(false);
});
