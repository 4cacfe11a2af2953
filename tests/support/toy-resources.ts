import type { z } from 'zod';
import type { Database } from '#database/index.ts';
import { scopes, type Caller, type Operation, type User } from '#kit/index.ts';
import { checkPayTo } from '#payments/index.ts';
import { createResource, followIntegration, publishResource, type ResourcesDeps } from '#resources/index.ts';
import { perform as performOn } from './perform.ts';
import { schemeList } from './pay.ts';
import { openToyKind, type ToyKind } from './toy-kind.ts';

export const PAY_TO = '0x71C7656EC7ab88b098defB751B7401B5f6d8976F';
export const NETWORK = 'eip155:84532';
export const OTHER_NETWORK = 'eip155:8453';

interface ToyResources {
  deps: ResourcesDeps;
  kind: ToyKind;
  /** Moved by hand. */
  clock: { nowMs: number; now(): number };
  addUser(username: string): Promise<User>;
}

/** What the operations need, over a real database, with a toy kind and a clock that stands still. */
export function openToyResources(database: Database): ToyResources {
  const kind = openToyKind();
  const clock = {
    nowMs: Date.parse('2026-01-02T03:04:05.000Z'),
    now: () => clock.nowMs,
  };
  const deps = {
    database,
    kinds: [kind],
    payable: [NETWORK, OTHER_NETWORK].map((network) => ({ scheme: 'exact', network })),
    checkPayTo: (network: string, text: string) => checkPayTo(schemeList, network, text),
    clock,
    publicUrl: 'https://farebox.test',
  };
  return { deps, kind, clock, addUser: (username) => addUser(database, username) };
}

async function addUser(database: Database, username: string): Promise<User> {
  const user: User = {
    kind: 'user',
    userId: `user_${username}`,
    username,
    email: `${username}@example.com`,
    isAdmin: false,
    via: 'session',
    scopes,
  };
  await database.system.query('INSERT INTO users (id, name, email, username) VALUES ($1, $2, $3, $2)', [
    user.userId,
    username,
    user.email,
  ]);
  return user;
}

/** Carries an operation of the resources out, on the database that they stand on. */
export function perform<Deps, Input extends z.ZodType, Output extends z.ZodType, Name extends string>(
  declared: Operation<Deps, Input, Output, Name>,
  [deps, caller]: [ResourcesDeps, Caller],
  input: z.input<Input>,
): Promise<z.output<Output>> {
  return performOn(declared, [deps as never, caller, deps.database], input);
}

/** A draft that lacks nothing; `fields` replace parts of it. */
export function toyDraft(fields: Record<string, unknown> = {}) {
  return {
    kind: 'toy',
    slug: 'haiku',
    name: 'Haiku',
    description: 'A haiku about anything.',
    category: 'ai' as const,
    tags: ['poem'],
    priceUsdc: '0.01',
    network: NETWORK,
    payTo: PAY_TO,
    parameters: [{ name: 'topic', description: 'What it is about.', example: 'frogs' }],
    config: { template: 'A haiku about {topic}{/topic}.' },
    ...fields,
  };
}

/** Stored as it is given, as drafts of before were: with what a save refuses today. */
export async function storeDraft(deps: ResourcesDeps, caller: User, fields: Record<string, unknown> = {}) {
  const { kind, slug, ...given } = createResource.input.parse(toyDraft(fields));
  const { id } = await perform(createResource, [deps, caller], { kind, slug });
  await deps.database.asUser(caller.userId, (tx) =>
    tx.query('UPDATE x402_resources SET draft = draft || $2::jsonb WHERE id = $1', [id, JSON.stringify(given)]),
  );
  return { id };
}

/** Created and published; the creator's view of it. */
export async function publishToy(deps: ResourcesDeps, caller: Caller, fields: Record<string, unknown> = {}) {
  const { id } = await perform(createResource, [deps, caller], toyDraft(fields));
  return perform(publishResource, [deps, caller], { id });
}

/** What resources hear when the owner's key of the service goes (`problem` says why) or comes (null). */
export async function tellOfKey(deps: ResourcesDeps, ownerId: string, [service, problem]: [string, string | null]) {
  const reaction = await deps.database.asUser(ownerId, (tx) =>
    followIntegration(deps, tx, { ownerId, service, problem }),
  );
  reaction.afterCommit();
  const { paused, resumed, stillSelling } = reaction;
  const toIds = (some: readonly { id: string }[]) => some.map(({ id }) => id);
  return { paused: toIds(paused), resumed: toIds(resumed), stillSelling: toIds(stillSelling) };
}
