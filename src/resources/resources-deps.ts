import type { Database, Tx } from '#database/index.ts';
import type { Clock } from '#kit/index.ts';
import type { ResourceKind } from './resource-kind.ts';

/** Counted by the usage log, with the names that its routes have. */
export interface ResourceStats {
  call_count: number;
  success_count_30d: number;
  failure_count_30d: number;
  total_earned_usdc: string;
  last_called_at: string | null;
}

/** What stopped or began to be sold without its owner. */
export interface SaleChange {
  ownerId: string;
  resourceId: string;
  slug: string;
  /** Why it is not sold, for the owner; null: it is sold again. */
  cause: string | null;
  at: Date;
}

export interface ResourcesDeps {
  database: Database;
  kinds: readonly ResourceKind[];
  /** What payments can be taken by: scheme and CAIP-2 network. */
  payable: readonly { scheme: string; network: string; chargesUse?: boolean }[];
  /** The address of a payee as the network writes it, or what to tell a creator who gave another thing. */
  checkPayTo: (network: string, text: string) => { value: string } | { message: string };
  clock: Clock;
  /** The origin that resource URLs begin with, without a slash at the end. */
  publicUrl: string;
  /** The uuid of the catalogue's row that a model's name means; kept with each version. */
  findModelId?: (name: string) => Promise<string | null>;
  /** 1000 USDC unless told. */
  maxPriceAtomic?: bigint;
  /** The longest that files of answers are kept; a year unless told. */
  maxMediaRetentionSeconds?: number;
  /** Does another key stand in where this creator has none of the service? Absent: none does. */
  isCovered?: (username: string, service: string) => boolean;
  /** `tx` has the rights of the system. */
  findStats?: (tx: Tx, resourceIds: string[]) => Promise<ReadonlyMap<string, ResourceStats>>;
  /** Why calls of what is published are refused now, until it ends by itself: a code and what to do; null: they are not. */
  findRefusal?: (resourceId: string) => Promise<string | null>;
  /** Tells the owner, in the transaction of the change. `tx` has the rights of the system. */
  tellSale?: (tx: Tx, change: SaleChange) => Promise<void>;
  /** Told right after a change of this process, so that its own memory need not wait for the notification. */
  onChanged?: (resourceId: string) => void;
}
