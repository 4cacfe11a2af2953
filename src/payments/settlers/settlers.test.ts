import type { Hex } from 'viem';
import { openCashWorld } from '../../../tests/support/cash-world.ts';
import { describeSettler, type SettlerWorld } from '../../../tests/support/describe-settler.ts';
import { startFaultyRpc } from '../../../tests/support/faulty-rpc.ts';
import { openTestSettler } from '../../../tests/support/open-test-settler.ts';
import { makeAccount, makeOffer, pay, SANDBOX_NETWORK } from '../../../tests/support/pay.ts';
import { answer, useScriptedFacilitator } from '../../../tests/support/scripted-facilitator.ts';
import { useTestChain } from '../../../tests/support/test-chain.ts';

const chain = useTestChain();
const scripted = useScriptedFacilitator(chain);

const onChain: Pick<SettlerWorld, 'network' | 'makeOffer' | 'makePayment' | 'balanceOf'> = {
  network: SANDBOX_NETWORK,
  makeOffer: () => makeOffer({ payTo: makeAccount().address }),
  makePayment: async (offer, wealth) => {
    const account = makeAccount();
    if (wealth === 'rich') {
      await chain.current.faucet.send(account.address);
    }
    return pay(account, offer);
  },
  balanceOf: (account) => chain.current.balanceAtomic(account as Hex),
};

async function openEmbedded(): Promise<SettlerWorld> {
  const rpc = await startFaultyRpc(chain.current.rpcUrl);
  const opened: { close(): Promise<void> }[] = [];
  return {
    ...onChain,
    open: async () => {
      const one = await openTestSettler(chain, { rpcUrl: rpc.url, timing: { answerMs: 400 } });
      opened.push(one);
      return one.settler;
    },
    setFault: (fault) => {
      const isLost = (methods: readonly string[]) => methods.includes('eth_getTransactionReceipt');
      rpc.plan((methods) =>
        fault === 'unreachable' || (fault === 'silent' && isLost(methods)) ? 'drop before' : null,
      );
    },
    close: async () => {
      await Promise.all(opened.map((one) => one.close()));
      await rpc.close();
    },
  };
}

async function openFacilitator(): Promise<SettlerWorld> {
  return {
    ...onChain,
    open: async () => {
      const [settler] = (await scripted.open({ facilitatorTimeoutMs: 2_000 })).settlers;
      if (!settler) {
        throw new Error('unreachable');
      }
      return settler;
    },
    setFault: (fault) => {
      const faults = {
        none: () => null,
        unreachable: answer('/supported', 503, {}),
        silent: (path: string) => (path.endsWith('/settle') ? ('drop' as const) : null),
      };
      scripted.current.script = faults[fault];
    },
    close: async () => {},
  };
}

describeSettler('embedded', openEmbedded);
describeSettler('facilitator', openFacilitator);
describeSettler('cash', async () => openCashWorld().settler);
