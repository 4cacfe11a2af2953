import { z } from 'zod';
import type { Tx } from '#database/index.ts';

/** What became of an owner's connection to a service. */
export interface IntegrationChange {
  ownerId: string;
  service: string;
  /** Null: usable. Otherwise why it is not, in words for the owner. */
  problem: string | null;
  /** The provider refused it; otherwise it was its owner who took it away. */
  isRefused: boolean;
}

/** Something of the owner's that cannot work without a service. */
export const dependent = z.object({
  id: z.string(),
  kind: z.string(),
  slug: z.string(),
  name: z.string(),
  state: z.string(),
});
export type Dependent = z.output<typeof dependent>;

export interface Reaction {
  paused: Dependent[];
  resumed: Dependent[];
  /** What goes on being sold without the connection, because something else stands in for it. */
  stillSelling: Dependent[];
  /** Called after the commit: what this process holds in memory of them is out of date. */
  afterCommit(): void;
}

/** In answers: what goes on, and what to do about it. */
export const stillSellingShape = { stillSelling: z.array(dependent), note: z.string().nullable() };

/** For an owner who may have meant to stop selling; null where nothing goes on. */
export function toStillSellingNote(stillSelling: readonly Dependent[]): string | null {
  return stillSelling.length === 0
    ? null
    : "What stillSelling lists goes on being sold, on the operator's key as far as it may run there (GET /api/user/platform-share). To stop selling one, POST /api/resources/{id}/pause.";
}

/**
 * Reacts inside the transaction of the change, as its owner: both are committed or neither is. It asks nobody outside
 * the database and must bear being told the same again.
 */
export type ChangeListener = (tx: Tx, change: IntegrationChange) => Promise<Reaction>;

export interface Changes {
  subscribe(listener: ChangeListener): void;
  announce(tx: Tx, change: IntegrationChange): Promise<Reaction>;
}

/** Tells a change to whoever subscribed; the modules that depend on a connection are not known here. */
export function openChanges(): Changes {
  const listeners: ChangeListener[] = [];
  return {
    subscribe: (listener) => void listeners.push(listener),
    announce: async (tx, change) => {
      const reactions: Reaction[] = [];
      for (const listener of listeners) {
        reactions.push(await listener(tx, change));
      }
      return {
        paused: reactions.flatMap(({ paused }) => paused),
        resumed: reactions.flatMap(({ resumed }) => resumed),
        stillSelling: reactions.flatMap(({ stillSelling }) => stillSelling),
        afterCommit: () => reactions.forEach((reaction) => reaction.afterCommit()),
      };
    },
  };
}
