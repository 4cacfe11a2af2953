import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { beforeAll, beforeEach, expect } from 'vitest';
import type { z } from 'zod';
import { Problem, scopes, type Operation, type User } from '#kit/index.ts';
import {
  masterKeyFromText,
  openVault,
  putOpenrouter,
  type AffectedResource,
  type IntegrationDeps,
  type KeyCheck,
  type Vault,
} from '#vault/index.ts';
import { useTestDatabase } from './test-database.ts';
import { perform } from './test-door.ts';

export const KEY = 'sk-or-v1-canary-aaaaaaaaaaaaaaaaaaaaaaaaaaaa1111';
export const OTHER_KEY = 'sk-or-v1-canary-bbbbbbbbbbbbbbbbbbbbbbbbbbbb2222';
export const good = (label = 'my key'): KeyCheck => ({
  ok: true,
  snapshot: {
    label,
    limit: '10',
    limitRemaining: '7.5',
    limitReset: null,
    usage: '2.5',
    usageMonthly: '1',
    isFreeTier: false,
    expiresAt: null,
  },
});

/** OpenRouter and the owner's one resource, played in memory; `log` tells the order of what happened. */
interface World {
  user: User;
  deps: IntegrationDeps;
  answer: KeyCheck | (() => Promise<KeyCheck>);
  resource: AffectedResource;
  log: string[];
}

let counter = 0;

/** Call at the top of a test file: a database, a vault, and before each test a new user with one resource. */
export function useOpenrouterKeys() {
  const database = useTestDatabase();
  const clock = { at: Date.parse('2030-01-01T00:00:00Z'), now: () => clock.at };
  const masterKey = masterKeyFromText(randomBytes(32).toString('hex'));
  const open = () => openVault({ database: database.current, masterKey, clock });
  const held: { vault?: Vault; world?: World } = {};
  const makeWorld = () => buildWorld(held.vault as Vault);

  beforeAll(async () => {
    held.vault = await open();
  });
  beforeEach(async () => {
    held.world = await makeWorld();
  });

  /** Runs as the door does: input and output pass their schemas. No answer and no error may ever hold a key. */
  async function call<I extends z.ZodType, O extends z.ZodType>(
    declared: Operation<IntegrationDeps, I, O>,
    body: object = {},
    { user, deps }: World = held.world as World,
  ): Promise<z.output<O>> {
    const outcome = await perform(declared, [deps, user, database.current], body as z.input<I>).catch(
      (error: unknown) => ({ error }),
    );
    for (const key of [KEY, OTHER_KEY]) {
      expect(inspect(outcome, { depth: 10 })).not.toContain(key);
    }
    if (outcome !== null && typeof outcome === 'object' && 'error' in outcome) {
      throw outcome.error;
    }
    return outcome;
  }

  return {
    database,
    clock,
    makeWorld,
    call,
    put: (apiKey = KEY, more = {}) => call(putOpenrouter, { apiKey, ...more }),
    openElsewhere: open,
    get world() {
      return held.world as World;
    },
    get vault() {
      return held.vault as Vault;
    },
  };
}

export async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Problem);
  return `${(error as Problem).code}: ${(error as Problem).message}`;
}

async function buildWorld(vault: Vault): Promise<World> {
  const userId = `user${(counter += 1)}`;
  await vault.database.system.query('INSERT INTO users (id, name, email, username) VALUES ($1, $1, $2, $1)', [
    userId,
    `${userId}@example.com`,
  ]);
  const user: User = { kind: 'user', userId, username: userId, email: '', isAdmin: false, via: 'session', scopes };
  const resource = { id: 'r1', kind: 'openrouter_instant', slug: 'haiku', name: 'Haiku', state: 'published' };
  const log: string[] = [];
  const move = (state: string) => async (_ownerId: string, cause?: string) => {
    const moved = resource.state !== state;
    log.push([state, cause, (await hasKey(vault, userId)) ? 'with' : 'without', 'a key'].filter(Boolean).join(' '));
    resource.state = state;
    return moved ? [resource.id] : [];
  };
  const deps: IntegrationDeps = {
    vault,
    checkKey: async () => (typeof made.answer === 'function' ? made.answer() : made.answer),
    listAffected: async () => [resource],
    pauseAffected: move('paused'),
    resumeAffected: move('published'),
  };
  const made: World = { user, deps, answer: good(), resource, log };
  return made;
}

async function hasKey(vault: Vault, userId: string): Promise<boolean> {
  const { rows } = await vault.database.system.query('SELECT 1 FROM user_openrouter_integrations WHERE owner_id = $1', [
    userId,
  ]);
  return rows.length > 0;
}
