import { randomBytes } from 'node:crypto';
import type { Clock, Log } from '#kit/index.ts';
import { listNetworks, type SchemeList } from './find-scheme.ts';
import type { Chain } from './network.ts';
import { toSettlerAddress } from './settlers/eip155/sign-transaction.ts';
import type { Settler, SettlerDeps } from './settlers/settler.ts';
import type { Settlement } from './verdict.ts';

/** What verifying, settling and looking up need. */
export interface Payments extends SchemeList {
  chains: ReadonlyMap<string, Chain>;
  /** In order of preference. */
  settlers: readonly Settler[];
  /** Seconds that a payment must still be valid when it is verified. */
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

export interface PaymentsOptions extends Omit<SettlerDeps, 'chains'> {
  /** CAIP-2 names. */
  networks: readonly string[];
  /** CAIP-2 name -> endpoint; without one the network's public endpoint is used. */
  rpcUrls: ReadonlyMap<string, string>;
  /** In order of preference. */
  openSettlers: (deps: SettlerDeps) => readonly Settler[];
  marginSeconds?: number;
}

/** Time for a transfer to get into a block, as in the SDK. */
const LEAST_VALIDITY_SECONDS = 6;

/** Connects lazily. Throws for an unknown network or a bad key, so that a wrong configuration shows at the start. */
export function openPayments(options: PaymentsOptions): Payments {
  const { schemes, clock, log, settlerPrivateKeys } = options;
  const from = settlerPrivateKeys[0] ? toSettlerAddress(settlerPrivateKeys[0]) : anyAddress();
  const chains = new Map(
    options.networks.map((network): [string, Chain] => {
      const rpcUrl = options.rpcUrls.get(network);
      return [network, getFamily(options, network).openChain({ network, rpcUrl, clock, from })];
    }),
  );
  const settlers = options.openSettlers({ ...options, chains });
  return {
    schemes,
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
      await Promise.all([...chains.values()].map((chain) => chain.close()));
    },
  };
}

function getFamily(list: SchemeList, network: string) {
  const scheme = list.schemes.find(({ family }) => Object.hasOwn(family.networks, network));
  if (!scheme) {
    throw new Error(`No payment scheme is listed for ${network}. Known: ${listNetworks(list).join(', ')}.`);
  }
  return scheme.family;
}

/** Without a key of ours simulations have a random sender: a contract must not recognise a simulation by its sender. */
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
