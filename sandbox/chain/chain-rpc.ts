import { request } from 'undici';

export const CHAIN_ID = 84532;
const TIMEOUT_MS = 20_000;

/** One JSON-RPC call to the local chain: its result, or an error with anvil's message. */
export type ChainRpc = (method: string, ...params: readonly unknown[]) => Promise<unknown>;

/** The few calls that the sandbox makes; a whole Ethereum library would cost every server 25 MB. */
export function openChainRpc(rpcUrl: string): ChainRpc {
  return async (method, ...params) => {
    const { body } = await request(rpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = (await body.json()) as { result?: unknown; error?: { message?: string } };
    if (answer.error) {
      throw new Error(`The local chain refused ${method}: ${answer.error.message ?? 'no reason given'}`);
    }
    return answer.result;
  };
}

/** A quantity as JSON-RPC writes it. */
export function toQuantity(value: bigint): `0x${string}` {
  return `0x${value.toString(16)}`;
}

export async function askQuantity(rpc: ChainRpc, method: string, ...params: readonly unknown[]): Promise<bigint> {
  const result = await rpc(method, ...params);
  if (typeof result !== 'string' || !/^0x[0-9a-f]+$/i.test(result)) {
    throw new Error(`The local chain answered ${method} with something else than a number.`);
  }
  return BigInt(result);
}
