import { parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { systemClock } from '#kit/index.ts';
import {
  openEmbeddedSettlers,
  openFacilitatorSettlers,
  openPayments,
  type Payments,
  type PaymentsOptions,
} from '#payments/index.ts';
import { SANDBOX_NETWORK, schemeList } from './pay.ts';
import { quietLog, type TestChain } from './test-chain.ts';

/** Payments on the test chain with one funded settler key. */
export async function openTestPayments(
  chain: TestChain,
  options: Partial<PaymentsOptions> & { rpcUrl?: string } = {},
): Promise<Payments> {
  const key = generatePrivateKey();
  await chain.current.fund(privateKeyToAccount(key).address, parseEther('10'));
  return openPayments({
    ...schemeList,
    openSettlers: (deps) => [...openFacilitatorSettlers(deps), ...openEmbeddedSettlers(deps)],
    networks: [SANDBOX_NETWORK],
    rpcUrls: new Map([[SANDBOX_NETWORK, options.rpcUrl ?? chain.current.rpcUrl]]),
    facilitatorUrls: [],
    settlerPrivateKeys: [key],
    clock: systemClock,
    log: quietLog,
    ...options,
  });
}
