import { parseEther, type Hex } from 'viem';
import { openCashWorld } from '../../../tests/support/cash-world.ts';
import { describeScheme, type SchemePayer, type SchemeWorld } from '../../../tests/support/describe-scheme.ts';
import { openTestPayments } from '../../../tests/support/open-test-payments.ts';
import { makeAccount, SANDBOX_NETWORK, signOffer } from '../../../tests/support/pay.ts';
import { useTestChain } from '../../../tests/support/test-chain.ts';

const chain = useTestChain();

async function makePayer(wealth: 'rich' | 'poor'): Promise<SchemePayer> {
  const account = makeAccount();
  if (wealth === 'rich') {
    await chain.current.faucet.send(account.address);
  }
  return {
    sign: (offer, { expiresAt, uniquenessKey } = {}) =>
      signOffer(account, offer, {
        ...(expiresAt === undefined ? {} : { validBefore: String(expiresAt) }),
        ...(uniquenessKey === undefined ? {} : { nonce: uniquenessKey }),
      }),
  };
}

async function openExact(): Promise<SchemeWorld> {
  const payments = await openTestPayments(chain);
  return {
    scheme: 'exact',
    network: SANDBOX_NETWORK,
    payments,
    at: (nowMs) => openTestPayments(chain, { clock: { now: () => nowMs } }),
    makePayee: () => makeAccount().address,
    makePayer,
    balanceOf: (account) => chain.current.balanceAtomic(account as Hex),
    sendByStranger: async ({ to, data, gas }) => {
      const account = makeAccount();
      await chain.current.fund(account.address, parseEther('1'));
      const hash = await chain.client.sendTransaction({ account, to: to as Hex, data: data as Hex, gas: gas.alone });
      await chain.client.waitForTransactionReceipt({ hash });
      return hash;
    },
    close: () => payments.close(),
  };
}

describeScheme('exact with EIP-3009', openExact);
describeScheme('cash', async () => openCashWorld().scheme);
