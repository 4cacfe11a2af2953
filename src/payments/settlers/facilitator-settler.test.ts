import { parseEther, type Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { startFaultyRpc } from '../../../tests/support/faulty-rpc.ts';
import { openTestPayments } from '../../../tests/support/open-test-payments.ts';
import { makeAccount, makeOffer, pay, SANDBOX_NETWORK, signOffer, toPayment } from '../../../tests/support/pay.ts';
import { answer, useScriptedFacilitator, type Script } from '../../../tests/support/scripted-facilitator.ts';
import { useTestChain } from '../../../tests/support/test-chain.ts';
import { settlePayment, verifyPayment } from '../index.ts';
import { encodeTransfer } from '../schemes/exact-eip155/call-data.ts';

const chain = useTestChain();
const scripted = useScriptedFacilitator(chain);
const { open } = scripted;

const makePayee = () => makeOffer({ payTo: makeAccount().address });
const balanceOf = (address: string) => chain.current.balanceAtomic(address as Hex);
const onlyV1 = JSON.stringify({ kinds: [{ x402Version: 1, scheme: 'exact', network: 'base-sepolia' }] });

async function makePayment(offer = makePayee()) {
  const account = makeAccount();
  await chain.current.faucet.send(account.address);
  return { offer, account, payment: await pay(account, offer) };
}

describe('the settler of a facilitator', () => {
  test('settles in version 2 of x402', async () => {
    const { offer, payment } = await makePayment();
    const settled = await settlePayment(await open(), payment, offer);
    expect(settled).toMatchObject({ status: 'settled', network: SANDBOX_NETWORK });
    expect(await balanceOf(offer.payTo)).toBe(10_000n);
    expect(scripted.current.seen.map(({ path }) => path)).toEqual(['/x402/supported', '/x402/settle']);
    expect(scripted.current.seen[1]?.body?.x402Version).toBe(2);
  });

  test('settles in version 1 where it speaks nothing newer, whichever version the buyer spoke', async () => {
    scripted.current.script = answer('/supported', 200, onlyV1);
    const { offer, payment } = await makePayment();
    expect(await settlePayment(await open(), payment, offer)).toMatchObject({ status: 'settled' });
    expect(scripted.current.seen[1]?.body?.x402Version).toBe(1);
    expect(await balanceOf(offer.payTo)).toBe(10_000n);
  });

  test('sends v as 27 or 28 even where the wallet wrote 0 or 1', async () => {
    const offer = makePayee();
    const account = makeAccount();
    await chain.current.faucet.send(account.address);
    const payload = await signOffer(account, offer);
    const parity = payload.signature.endsWith('1b') ? '00' : '01';
    const payment = toPayment(2, offer, { ...payload, signature: payload.signature.slice(0, 130) + parity });
    expect(await settlePayment(await open(), payment, offer)).toMatchObject({ status: 'settled' });
  });

  test('sends our offer, not what the client says it accepts, and nothing else of the header', async () => {
    const { offer, payment } = await makePayment();
    await settlePayment(await open(), payment, offer);
    const { amountAtomic: _, ...rest } = offer;
    expect(scripted.current.seen[1]?.body?.paymentRequirements).toEqual({ ...rest, amount: '10000' });
    expect(Object.keys(scripted.current.seen[1]?.body?.paymentPayload ?? {})).toEqual([
      'x402Version',
      'accepted',
      'payload',
    ]);
  });

  test('passes a refusal of the facilitator on', async () => {
    const offer = makePayee();
    const payment = await pay(makeAccount(), offer, { validBefore: '1000' });
    expect(await settlePayment(await open(), payment, offer)).toEqual({
      status: 'refused',
      reason: 'invalid_exact_evm_payload_authorization_valid_before',
    });
  });

  test('verifies where our own endpoint of the chain is down', async () => {
    const rpc = await startFaultyRpc(chain.current.rpcUrl);
    rpc.plan(() => 'drop before');
    scripted.closing.push(() => rpc.close());
    const payments = await open({ rpcUrl: rpc.url });
    const { offer, payment } = await makePayment();
    expect(await verifyPayment(payments, payment, offer)).toEqual({ ok: true });
    expect(await verifyPayment(payments, await pay(makeAccount(), offer), offer)).toEqual({
      ok: false,
      reason: 'invalid_exact_evm_insufficient_balance',
    });
    scripted.current.script = answer('/verify', 500, '{}');
    expect(await verifyPayment(payments, payment, offer)).toMatchObject({ ok: false, retryable: true });
  });
});

describe('what a facilitator may have sent is unknown, never refused', () => {
  const success = { success: true, transaction: `0x${'ab'.repeat(32)}`, network: SANDBOX_NETWORK };

  test.each<[string, Script]>([
    ['no answer in time', (path) => (path.endsWith('/settle') ? 'hang' : null)],
    ['the connection breaks', (path) => (path.endsWith('/settle') ? 'drop' : null)],
    ['HTTP 500', answer('/settle', 500, { success: false, errorReason: 'invalid_exact_evm_signature' })],
    ['HTTP 502 of a proxy', answer('/settle', 502, '<html>')],
    [
      'settlement_pending',
      answer('/settle', 200, { success: false, errorReason: 'settlement_pending', transaction: success.transaction }),
    ],
    [
      'a reason that nobody knows',
      answer('/settle', 200, { success: false, errorReason: 'Timed out while waiting', transaction: '' }),
    ],
    [
      'a refusal with a transaction',
      answer('/settle', 200, {
        success: false,
        errorReason: 'invalid_exact_evm_signature',
        transaction: success.transaction,
      }),
    ],
    ['success without a transaction', answer('/settle', 200, { ...success, transaction: '' })],
    ['success as text', answer('/settle', 200, { ...success, success: 'true' })],
    ['an empty object', answer('/settle', 200, {})],
    ['a list', answer('/settle', 200, [])],
    ['no JSON', answer('/settle', 200, 'ok')],
  ])('%s', async (_, given) => {
    scripted.current.script = given;
    const payments = await open({ facilitatorTimeoutMs: 100 });
    const { offer, payment } = await makePayment();
    expect(await settlePayment(payments, payment, offer)).toEqual({ status: 'unknown', reason: 'settlement_pending' });
  });

  test('a used nonce is looked up: paid when the transfer is this one, refused when it went elsewhere', async () => {
    scripted.current.script = answer('/settle', 200, {
      success: false,
      errorReason: 'invalid_exact_evm_nonce_already_used',
      transaction: '',
    });
    const payments = await open();
    const { offer, account, payment } = await makePayment();
    expect(await settlePayment(payments, payment, offer)).toMatchObject({ status: 'unknown' });
    const other = makePayee();
    const elsewhere = await pay(account, other);
    const usurped = await pay(account, offer, { nonce: elsewhere.uniquenessKey });
    const stranger = makeAccount();
    await chain.current.fund(stranger.address, parseEther('1'));
    for (const sent of [payment, elsewhere]) {
      const hash = await chain.client.sendTransaction({
        account: stranger,
        to: offer.asset as Hex,
        data: encodeTransfer(sent) as Hex,
      });
      await chain.client.waitForTransactionReceipt({ hash });
    }
    expect(await settlePayment(payments, payment, offer)).toMatchObject({ status: 'settled' });
    expect(await settlePayment(payments, usurped, offer)).toEqual({
      status: 'refused',
      reason: 'invalid_exact_evm_nonce_already_used',
    });
  });
});

describe('several settlers', () => {
  test.each<[string, Script]>([
    ['turns the request away', answer('/settle', 401, {})],
    ['limits the rate', answer('/settle', 429, {})],
    ['does not serve the network', answer('/supported', 200, { kinds: [] })],
    ['cannot say what it serves', answer('/supported', 503, {})],
  ])('our own keys settle when the facilitator %s', async (_, given) => {
    scripted.current.script = given;
    const payments = await openTestPayments(chain, { facilitatorUrls: [scripted.current.url] });
    scripted.closing.push(() => payments.close());
    const { offer, payment } = await makePayment();
    expect(await settlePayment(payments, payment, offer)).toMatchObject({ status: 'settled' });
    expect(await balanceOf(offer.payTo)).toBe(10_000n);
  });

  test('our own keys settle when nobody listens where the facilitator should be', async () => {
    const payments = await openTestPayments(chain, { facilitatorUrls: ['http://127.0.0.1:9'] });
    scripted.closing.push(() => payments.close());
    const { offer, payment } = await makePayment();
    expect(await settlePayment(payments, payment, offer)).toMatchObject({ status: 'settled' });
  });

  test('the next one is not asked when the first may have sent', async () => {
    scripted.current.script = answer('/settle', 500, {});
    const payments = await openTestPayments(chain, { facilitatorUrls: [scripted.current.url] });
    scripted.closing.push(() => payments.close());
    const { offer, payment } = await makePayment();
    expect(await settlePayment(payments, payment, offer)).toMatchObject({ status: 'unknown' });
    expect(await balanceOf(offer.payTo)).toBe(0n);
  });

  test('a facilitator that keeps failing is left alone for a while', async () => {
    let now = Date.now();
    const payments = await open({ clock: { now: () => now } });
    const { offer, payment } = await makePayment();
    await settlePayment(payments, (await makePayment()).payment, offer);
    scripted.current.script = answer('/settle', 500, {});
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await settlePayment(payments, payment, offer);
    }
    scripted.current.seen.length = 0;
    expect(await settlePayment(payments, payment, offer)).toEqual({
      status: 'unknown',
      reason: 'facilitator_keeps_failing',
    });
    expect(scripted.current.seen).toEqual([]);
    now += 15_000;
    scripted.current.script = () => null;
    expect(await settlePayment(payments, payment, offer)).toMatchObject({ status: 'settled' });
  });
});

test('settling takes no longer than is said beforehand; one key given twice is one account', async () => {
  const key = `0x${'11'.repeat(32)}`;
  const payments = await open({ settlerPrivateKeys: [key, key], facilitatorTimeoutMs: 2_000 });
  expect(payments.settleLimitMs).toBe(12_000 + 12_000);
  const alone = await open({ facilitatorUrls: [], settlerPrivateKeys: [key, key] });
  const { networks } = await alone.readiness();
  expect(networks[0]?.cause?.match(/0x[0-9a-f]{40}/g)).toHaveLength(1);
});

describe('readiness', () => {
  test('says per network whether somebody can settle, and why not', async () => {
    expect(await (await open()).readiness()).toEqual({
      isReady: true,
      networks: [{ network: SANDBOX_NETWORK, isReady: true, cause: null }],
    });
    expect(await (await open({ facilitatorUrls: [] })).readiness()).toMatchObject({
      isReady: false,
      networks: [{ cause: 'no settler is configured' }],
    });
    scripted.current.script = answer('/supported', 500, '');
    const { networks, isReady } = await (await open()).readiness();
    expect(isReady).toBe(false);
    expect(networks[0]?.cause).toContain('does not answer');
  });
});
