import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { beforeAll, beforeEach, expect } from 'vitest';
import type { z } from 'zod';
import {
  listIntegrations,
  openChanges,
  openKey,
  refuseKey,
  toOperations,
  type ChangeListener,
  type IntegrationDeps,
  type IntegrationService,
  type ProviderAnswer,
} from '#integrations/index.ts';
import { newId, Problem, type Operation, type OwnDeps, type User } from '#kit/index.ts';
import { followIntegration } from '#resources/index.ts';
import { masterKeyFromText, openVault, type Vault } from '#vault/index.ts';
import { useTestDatabase } from './test-database.ts';
import { perform } from './perform.ts';
import { openToyResources, publishToy } from './toy-resources.ts';

export const KEY = 'sk-canary-aaaaaaaaaaaaaaaaaaaaaaaaaaaa1111';
export const OTHER_KEY = 'sk-canary-bbbbbbbbbbbbbbbbbbbbbbbbbbbb2222';

/** One service, and how a test plays its provider. */
export interface IntegrationCase<Given extends object, Shown extends object> {
  service: IntegrationService<Given, Shown>;
  clients: IntegrationDeps['clients'];
  given(key: string): Given;
  /** An answer that takes the key; `repeat` is said back by the provider at some place that is shown. */
  good(repeat?: string): ProviderAnswer;
  /** What a good answer shows of the connection. */
  shown: Shown;
  /** Fields that no provider is asked about. */
  malformed: readonly object[];
}

export type Ask = () => Promise<ProviderAnswer>;

/** A creator with one published resource that needs the service. */
interface World {
  user: User;
  resourceId: string;
  answer: ProviderAnswer | (() => Promise<ProviderAnswer>);
  asked: number;
  /** Told after the resources; a test can fail or wait here. */
  listener: ChangeListener;
}

const quiet: ChangeListener = async () => ({ paused: [], resumed: [], stillSelling: [], afterCommit: () => {} });

/** Call at the top of a describe: a database, a vault, real resources of a toy kind, and a new creator before each test. */
export function useIntegrationWorld<Given extends object, Shown extends object>(
  open: (ask: Ask) => IntegrationCase<Given, Shown>,
  migrate: (url: string) => Promise<void> = async () => {},
) {
  const database = useTestDatabase();
  const masterKey = masterKeyFromText(randomBytes(32).toString('hex'));
  const held: { vault?: Vault; world?: World; toy?: ReturnType<typeof openToyResources>; deps?: IntegrationDeps } = {};
  const current = <T>(value: T | undefined): T => value ?? expect.unreachable('only inside hooks and tests');
  const world = () => current(held.world);
  const toy = () => current(held.toy);
  const ask: Ask = async () => {
    const { answer } = world();
    world().asked += 1;
    return typeof answer === 'function' ? answer() : answer;
  };
  const tested = open(ask);
  const operations = toOperations(tested.service);
  const openElsewhere = () => openVault({ database: database.current, masterKey, clock: toy().clock });

  beforeAll(async () => {
    await migrate(database.url);
    held.toy = openToyResources(database.current);
    held.toy.kind.service = tested.service.name;
    held.vault = await openElsewhere();
    const changes = openChanges();
    changes.subscribe((tx, change) => followIntegration(toy().deps, tx, change));
    changes.subscribe((tx, change) => world().listener(tx, change));
    held.deps = { vault: held.vault, services: [tested.service], clients: tested.clients, changes };
  });
  const makeWorld = async (): Promise<World> => {
    const user = await toy().addUser(`u${newId().replaceAll('-', '').slice(-20)}`);
    const { id } = await publishToy(toy().deps, user, { config: { template: '{topic}{/topic}', needsKey: true } });
    return { user, resourceId: id, answer: tested.good(), asked: 0, listener: quiet };
  };
  beforeEach(async () => {
    held.world = await makeWorld();
  });

  /** Runs as `callOperation` does: input and output pass their schemas. No answer and no error may ever hold a key. */
  async function call<Deps, I extends z.ZodType, O extends z.ZodType, N extends string>(
    declared: Operation<Deps, I, O, N>,
    deps: OwnDeps<Deps>,
    [caller, body]: [World['user'], object],
  ): Promise<z.output<O>> {
    const asked = perform(declared, [deps, caller, database.current], body as z.input<I>);
    const outcome = await asked.catch((error: unknown) => ({ error }));
    for (const key of [KEY, OTHER_KEY]) {
      expect(inspect(outcome, { depth: 10 })).not.toContain(key);
    }
    if (outcome !== null && typeof outcome === 'object' && 'error' in outcome) {
      throw outcome.error;
    }
    return outcome;
  }
  const deps = () => current(held.deps);
  return {
    database,
    tested,
    operations,
    makeWorld,
    call,
    openElsewhere,
    put: (key = KEY, user = world().user) =>
      call(operations.put, deps(), [user, { ...tested.given(key), isEnabled: true }]),
    get: () => call(operations.get, deps(), [world().user, {}]),
    list: () => call(listIntegrations, deps(), [world().user, {}]),
    test: () => call(operations.test, deps(), [world().user, {}]),
    switch: (isEnabled: boolean, user = world().user) => call(operations.update, deps(), [user, { isEnabled }]),
    delete: () => call(operations.delete, deps(), [world().user, {}]),
    refuse: (apiKey: string, problem: string) =>
      refuseKey(deps(), { service: tested.service.name, ownerId: world().user.userId, apiKey, problem }),
    /** The key as a call gets it. */
    openKey: async (ownerId = world().user.userId, vault = deps().vault) =>
      (await openKey({ ...deps(), vault }, { service: tested.service.name, ownerId }))?.apiKey ?? null,
    /** Puts the bytes of one user's sealed key into the row of another. */
    copySealed: async (from: string, to: string) => {
      const { table } = tested.service;
      const read = await database.current.system.query(`SELECT sealed_key FROM ${table} WHERE owner_id = $1`, [from]);
      await database.current.asUser(to, (tx) =>
        tx.query(`UPDATE ${table} SET sealed_key = $2 WHERE owner_id = $1`, [to, read.rows[0].sealed_key]),
      );
    },
    findResource: async () => {
      const { rows } = await database.current.system.query<{ state: string; cause: string | null }>(
        'SELECT state, pause_cause AS cause FROM x402_resources WHERE id = $1',
        [world().resourceId],
      );
      return rows[0];
    },
    get world() {
      return world();
    },
    get deps() {
      return deps();
    },
    get toy() {
      return toy();
    },
  };
}

export async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Problem);
  return `${(error as Problem).code}: ${(error as Problem).message}`;
}
