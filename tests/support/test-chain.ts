import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { startChain, type Chain } from '#sandbox/index.ts';
import { connectChain, type ChainClient } from './connect-chain.ts';
import { findFreePort } from './free-port.ts';

export const quietLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface TestChain {
  readonly current: Chain;
  readonly client: ChainClient;
}

/** Call at the top of a test file: gives it a local chain of its own (about 100 ms). */
export function useTestChain(): TestChain {
  const holder: { folder?: string; chain?: Chain; client?: ChainClient } = {};
  beforeAll(async () => {
    holder.folder = await mkdtemp(join(tmpdir(), 'farebox-chain-'));
    holder.chain = await startChain({ folder: holder.folder, port: await findFreePort(), log: quietLog });
    holder.client = connectChain(holder.chain.rpcUrl);
  });
  afterAll(async () => {
    await holder.chain?.stop();
    if (holder.folder) {
      await rm(holder.folder, { recursive: true, force: true });
    }
  });
  const get = <Value>(value: Value | undefined): Value => {
    if (value === undefined) {
      throw new Error('The test chain is ready only inside hooks and tests.');
    }
    return value;
  };
  return {
    get current() {
      return get(holder.chain);
    },
    get client() {
      return get(holder.client);
    },
  };
}
