import { parseEther, type Hex, type PrivateKeyAccount } from 'viem';
import type { Offer, Scheme } from '#payments/index.ts';
import type { SchemePayer, SchemeWorld } from './describe-scheme.ts';
import { openTestPayments } from './open-test-payments.ts';
import { makeAccount, SANDBOX_NETWORK } from './pay.ts';
import type { TestChain } from './test-chain.ts';

interface SchemeOnEvm {
  scheme: Scheme;
  /** The payload that a client of the scheme sends. */
  sign(
    account: PrivateKeyAccount,
    offer: Offer,
    changes: NonNullable<Parameters<SchemePayer['sign']>[1]>,
  ): Promise<unknown>;
}

/** A scheme on the test chain, with payers who have test USDC or none: what its contract suite asks for. */
export async function openEip155World(chain: TestChain, { scheme, sign }: SchemeOnEvm): Promise<SchemeWorld> {
  const schemes = [scheme];
  const payments = await openTestPayments(chain, { schemes });
  return {
    scheme: scheme.name,
    network: SANDBOX_NETWORK,
    payments,
    at: (nowMs) => openTestPayments(chain, { schemes, clock: { now: () => nowMs } }),
    makePayee: () => makeAccount().address,
    makePayer: async (wealth) => {
      const account = makeAccount();
      if (wealth === 'rich') {
        await chain.current.faucet.send(account.address);
      }
      return { sign: (offer, changes = {}) => sign(account, offer, changes) };
    },
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
