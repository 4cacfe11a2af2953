import { randomBytes } from 'node:crypto';
import type { Clock } from '#kit/index.ts';
import { getNetwork } from './offer.ts';
import { LEAST_VALIDITY_SECONDS } from './schemes/exact-eip3009.ts';
import { openChain, type Chain } from './settlers/chain.ts';
import { openEmbeddedSettler } from './settlers/embedded-settler.ts';
import { openFacilitatorSettler } from './settlers/facilitator-settler.ts';
import type { Log, Settler } from './settlers/settler.ts';
import { toSettlerAddress } from './settlers/sign-transaction.ts';
import type { Settlement } from './verdict.ts';

/** What verifying, settling and looking up need. */
export interface Payments {
  chains: ReadonlyMap<string, Chain>;
  /** In order of preference. */
  settlers: readonly Settler[];
  /** Seconds that an authorisation must still be valid when it is verified. */
  marginSeconds: number;
  /** The longest that `settlePayment` takes. */
  settleLimitMs: number;
  settling: Map<string, Promise<Settlement>>;
  clock: Clock;
  log: Log;
  /** Per network: does its RPC endpoint answer and can a settler send? */
  readiness(): Promise<PaymentsReadiness>;
  close(): Promise<void>;
}

export interface PaymentsReadiness {
  isReady: boolean;
  networks: { network: string; isReady: boolean; cause: string | null }[];
}

export interface PaymentsOptions {
  /** CAIP-2 names. */
  networks: readonly string[];
  /** CAIP-2 name -> endpoint; without one the network's public endpoint is used. */
  rpcUrls: ReadonlyMap<string, string>;
  /** Preferred over our own keys, in this order. */
  facilitatorUrls: readonly string[];
  settlerPrivateKeys: readonly string[];
  marginSeconds?: number;
  facilitatorTimeoutMs?: number;
  clock: Clock;
  log: Log;
}

/** Connects lazily. Throws for an unknown network or a bad key, so that a wrong configuration shows at the start. */
export function openPayments(options: PaymentsOptions): Payments {
  const { clock, log, facilitatorUrls } = options;
  const settlerPrivateKeys = distinctKeys(options.settlerPrivateKeys);
  const from = settlerPrivateKeys[0] ? toSettlerAddress(settlerPrivateKeys[0]) : anyAddress();
  const chains = new Map(
    options.networks.map((name): [string, Chain] => [
      name,
      openChain({ network: getNetwork(name), rpcUrl: options.rpcUrls.get(name), clock, from }),
    ]),
  );
  const settlers: Settler[] = [
    ...facilitatorUrls.map((url) =>
      openFacilitatorSettler({ url, chains, clock, log, timeoutMs: options.facilitatorTimeoutMs }),
    ),
    ...(settlerPrivateKeys.length === 0
      ? []
      : [...chains.values()].map((chain) =>
          openEmbeddedSettler({ ...chain, privateKeys: settlerPrivateKeys, clock, log }),
        )),
  ];
  return {
    chains,
    settlers,
    marginSeconds: options.marginSeconds ?? LEAST_VALIDITY_SECONDS,
    settleLimitMs: Math.max(0, ...[...chains.keys()].map((network) => limitOf(settlers, network))),
    settling: new Map(),
    clock,
    log,
    readiness: () => checkReadiness([...chains.keys()], settlers),
    close: async () => {
      await Promise.all(settlers.map(async (settler) => settler.stop?.()));
      await Promise.all([...chains.values()].map((chain) => chain.rpc.close()));
    },
  };
}

/** Two lanes with one key would take each other's nonces. */
function distinctKeys(privateKeys: readonly string[]): string[] {
  return [...new Map(privateKeys.map((key): [string, string] => [toSettlerAddress(key), key])).values()];
}

/** Facilitators send from accounts that we do not know; contracts shall not know that nobody sends from ours either. */
function anyAddress(): string {
  return `0x${randomBytes(20).toString('hex')}`;
}

/** All settlers of the network may be asked, one after the other. */
function limitOf(settlers: readonly Settler[], network: string): number {
  return settlers.filter((settler) => settler.supports(network)).reduce((sum, settler) => sum + settler.limitMs, 0);
}

async function checkReadiness(names: readonly string[], settlers: readonly Settler[]): Promise<PaymentsReadiness> {
  const checked = await Promise.all(
    names.map(async (network) => {
      const able = settlers.filter((settler) => settler.supports(network));
      const answers = await Promise.all(able.map((settler) => settler.checkReady(network)));
      const isReady = answers.some((answer) => answer.ready);
      const causes = answers.flatMap((answer) => (answer.ready ? [] : [answer.cause]));
      return { network, isReady, cause: isReady ? null : causes.join('; ') || 'no settler is configured' };
    }),
  );
  return { isReady: checked.every((network) => network.isReady), networks: checked };
}
