import { parseEther, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { systemClock } from '#kit/index.ts';
import { eip155 } from '../../src/payments/settlers/eip155/chain.ts';
import { openEmbeddedSettler, type SettlerTiming } from '../../src/payments/settlers/embedded-settler.ts';
import { SANDBOX_NETWORK, schemeList } from './pay.ts';
import { quietLog, type TestChain } from './test-chain.ts';

interface TestSettlerOptions {
  rpcUrl?: string;
  privateKeys?: readonly Hex[];
  /** How many keys send. */
  senders?: number;
  timing?: Partial<SettlerTiming>;
}

/** An embedded settler with funded keys and short times. */
export async function openTestSettler(chain: TestChain, options: TestSettlerOptions = {}) {
  const privateKeys = options.privateKeys ?? Array.from({ length: options.senders ?? 1 }, () => generatePrivateKey());
  await Promise.all(privateKeys.map((key) => chain.current.fund(privateKeyToAccount(key).address, parseEther('10'))));
  const opened = eip155.openChain({
    network: SANDBOX_NETWORK,
    rpcUrl: options.rpcUrl ?? chain.current.rpcUrl,
    clock: systemClock,
    timeoutMs: 300,
  });
  const settler = openEmbeddedSettler({
    ...schemeList,
    chain: opened,
    privateKeys,
    clock: systemClock,
    log: quietLog,
    timing: { pollMs: 5, recheckMs: 40, replaceAfterMs: 150, answerMs: 5000, ...options.timing },
  });
  return {
    settler,
    chain: opened,
    close: async () => {
      await settler.stop?.();
      await opened.close();
    },
  };
}
