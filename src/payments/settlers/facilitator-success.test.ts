import { parseEther, type Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { startFaultyRpc } from '../../../tests/support/faulty-rpc.ts';
import { makeAccount, makeOffer, pay, SANDBOX_NETWORK } from '../../../tests/support/pay.ts';
import { answer, useScriptedFacilitator } from '../../../tests/support/scripted-facilitator.ts';
import { useTestChain } from '../../../tests/support/test-chain.ts';
import { settlePayment } from '../index.ts';
import { encodeTransfer } from '../schemes/exact-eip155/call-data.ts';

const chain = useTestChain();
const scripted = useScriptedFacilitator(chain);
const { open } = scripted;

const makePayee = () => makeOffer({ payTo: makeAccount().address });

async function makePayment(offer = makePayee()) {
  const account = makeAccount();
  await chain.current.faucet.send(account.address);
  return { offer, account, payment: await pay(account, offer) };
}

describe('a facilitator that reports success', () => {
  const succeed = (transaction: string) =>
    answer('/settle', 200, { success: true, transaction, network: SANDBOX_NETWORK });

  test.each<[string, () => Promise<string>]>([
    ['a transaction that nobody knows', async () => `0x${'ab'.repeat(32)}`],
    [
      'the transaction of another payment',
      async () => {
        const { offer, payment } = await makePayment();
        const settled = await settlePayment(await open(), payment, offer);
        return 'transaction' in settled ? settled.transaction : '';
      },
    ],
    [
      'a transaction that was reverted',
      async () => {
        const { offer, account } = await makePayment();
        const data = encodeTransfer(await pay(account, offer, { validBefore: '1000' })) as Hex;
        const stranger = makeAccount();
        await chain.current.fund(stranger.address, parseEther('1'));
        const to = offer.asset as Hex;
        const hash = await chain.client.sendTransaction({ account: stranger, to, data, gas: 300_000n });
        await chain.client.waitForTransactionReceipt({ hash });
        return hash;
      },
    ],
  ])('with %s is not believed', async (_, makeTransaction) => {
    const transaction = await makeTransaction();
    scripted.current.script = succeed(transaction);
    const payments = await open({ facilitatorTimeoutMs: 300 });
    const { offer, payment } = await makePayment();
    expect(await settlePayment(payments, payment, offer)).toEqual({ status: 'unknown', reason: 'settlement_pending' });
  });

  test('is believed where the chain cannot be asked', async () => {
    const transaction = `0x${'ab'.repeat(32)}`;
    scripted.current.script = succeed(transaction);
    const rpc = await startFaultyRpc(chain.current.rpcUrl);
    scripted.closing.push(() => rpc.close());
    rpc.plan(() => 'drop before');
    const payments = await open({ rpcUrl: rpc.url });
    const { offer, payment } = await makePayment();
    expect(await settlePayment(payments, payment, offer)).toMatchObject({ status: 'settled', transaction });
  });
});
