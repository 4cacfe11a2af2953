import type { Clock } from '#kit/index.ts';

/** Where payments are made, and the asset they are made in. */
export interface Network {
  /** CAIP-2 name, as x402 version 2 writes it: `<family>:<reference>`. */
  caip2: string;
  /** Name in x402 version 1; payments of that version are not offered where there is none. */
  v1Name?: string;
  /** For people. */
  name: string;
  isTestnet: boolean;
  explorerTxUrl?: string;
  asset: { address: string; decimals: number };
}

export interface BlockRange {
  fromBlock: number;
  toBlock: number;
}

/** One network and the node through which we see it. What else it has is known to the schemes of its family. */
export interface Chain {
  network: Network;
  /** The receipt of a transaction, `null` while it is not known. Rejects when the node cannot tell. */
  findReceipt(transaction: string): Promise<unknown>;
  /** Seconds since the epoch at which a transaction was made, `null` while it is not known. Rejects like `findReceipt`. */
  findTime(transaction: string): Promise<number | null>;
  /** The blocks made within `seconds` before the newest blocks, of which those younger than `lagSeconds` are left out. */
  findRange(window: { seconds: number; lagSeconds: number }): Promise<BlockRange>;
  close(): Promise<void>;
}

export interface ChainOptions {
  /** CAIP-2 name. */
  network: string;
  /** Without one the network's public endpoint is used. */
  rpcUrl?: string | undefined;
  clock: Clock;
  timeoutMs?: number;
  /** The sender of simulated transactions where the question names none. */
  from?: string;
}

/** Networks that are read and written in the same way. `name` is their CAIP-2 namespace. */
export interface NetworkFamily<C extends Chain = Chain> {
  name: string;
  /** By CAIP-2 name. */
  networks: Readonly<Record<string, Network>>;
  openChain(options: ChainOptions): C;
  /** A payee's address as offers write it, or what to tell a creator who gave another thing. */
  parsePayee(text: string): { value: string } | { message: string };
  /** A transaction's identifier as the ledger writes it, or `null` when the text is none. */
  parseTransaction(text: string): string | null;
}

/** The CAIP-2 namespace of a network's name. */
export function familyOf(caip2: string): string {
  return caip2.slice(0, Math.max(0, caip2.indexOf(':')));
}
