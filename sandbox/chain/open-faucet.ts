import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Address, Hex } from 'viem';
import { formatUsdc, parseAddress, Problem } from '#kit/index.ts';
import { CHAIN_ID } from './chain-rpc.ts';
import type { Chain } from './start-chain.ts';

/** Ready to be sent as JSON. */
interface Gift {
  address: Address;
  network: string;
  asset: Address;
  amountUsdc: string;
  transaction: Hex;
  balanceUsdc: string;
}

export interface Faucet {
  /** `address` comes from outside and may be anything. Throws `invalid_input` and `rate_limited`. */
  send(address: unknown): Promise<Gift>;
}

export const GIFTS_PER_HOUR = 20;
/** Over all addresses, so that inventing addresses cannot fill the chain. */
const GIFTS_PER_HOUR_IN_ALL = 5_000;
const HOUR_SECONDS = 3_600;

/** Sends test money to any address, within limits. */
export function openFaucet({ chain }: { chain: Chain }): Faucet {
  const perAddress = new RateLimiterMemory({ keyPrefix: 'faucet', points: GIFTS_PER_HOUR, duration: HOUR_SECONDS });
  const inAll = new RateLimiterMemory({
    keyPrefix: 'faucet-all',
    points: GIFTS_PER_HOUR_IN_ALL,
    duration: HOUR_SECONDS,
  });
  return {
    async send(input) {
      const address = parseReceiver(input);
      await take(perAddress, address);
      await take(inAll, 'all');
      const { transaction, amountAtomic } = await chain.faucet.send(address);
      return {
        address,
        network: `eip155:${CHAIN_ID}`,
        asset: chain.token.address,
        amountUsdc: formatUsdc(amountAtomic),
        transaction,
        balanceUsdc: formatUsdc(await chain.balanceAtomic(address)),
      };
    },
  };
}

function parseReceiver(input: unknown): Address {
  const address = typeof input === 'string' ? parseAddress(input) : null;
  if (address === null || BigInt(address) === 0n) {
    throw new Problem('invalid_input', {
      detail: 'The faucet needs the address of a wallet.',
      fields: [
        {
          path: '/address',
          message:
            'Write 0x and 40 hexadecimal digits; with mixed case its checksum must be right; not the zero address.',
        },
      ],
    });
  }
  return address;
}

async function take(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) {
      throw error;
    }
    const seconds = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
    throw new Problem('rate_limited', {
      detail: `The faucet gives at most ${GIFTS_PER_HOUR} times an hour to one address. Ask again in ${seconds} s.`,
      headers: { 'retry-after': String(seconds) },
    });
  }
}
