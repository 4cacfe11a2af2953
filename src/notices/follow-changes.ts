import type { Tx } from '#database/index.ts';
import type { Clock } from '#kit/index.ts';
import { observe, tell } from './tell.ts';

/** What became of an owner's connection to a service, and of what needs it. */
export interface ConnectionChange {
  ownerId: string;
  service: string;
  provider: string;
  /** Null: it works. */
  problem: string | null;
  /** The provider refused it: what the owner did is not told to the owner. */
  isRefused: boolean;
  paused: readonly { slug: string }[];
  resumed: readonly { slug: string }[];
  stillSelling: readonly { slug: string }[];
}

/** In the transaction of the change, as its owner. */
export async function tellConnection(deps: { tx: Tx; clock: Clock }, change: ConnectionChange): Promise<void> {
  const { ownerId, service, provider, problem } = change;
  const slugs = (list: readonly { slug: string }[]): string[] => list.map(({ slug }) => slug);
  const data = {
    service,
    provider,
    problem: problem ?? '',
    paused: slugs(change.paused),
    stillSelling: slugs(change.stillSelling),
  };
  await observe(deps, 'key_refused', {
    seen: [{ ownerId, subject: service, level: change.isRefused ? 1 : 0, data }],
    isWhole: false,
  });
  if (change.resumed.length > 0) {
    const occasion = new Date(deps.clock.now()).toISOString();
    const resumed = { resources: slugs(change.resumed) };
    await tell(deps, 'resource_resumed', [{ ownerId, subject: service, occasion, data: resumed }]);
  }
}

/** What stopped or began to be sold without its owner. */
export interface SaleTold {
  ownerId: string;
  resourceId: string;
  slug: string;
  cause: string | null;
  at: Date;
}

/** In the transaction of the change, with the rights of the system. */
export async function tellSale(
  deps: { tx: Tx; clock: Clock },
  { ownerId, resourceId, slug, cause, at }: SaleTold,
): Promise<void> {
  const told = { ownerId, subject: resourceId, occasion: at.toISOString() };
  await (cause === null
    ? tell(deps, 'resource_resumed', [{ ...told, data: { resources: [slug] } }])
    : tell(deps, 'resource_paused', [{ ...told, data: { slug, cause } }]));
}
