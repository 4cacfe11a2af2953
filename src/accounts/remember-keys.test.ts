import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hear } from '../../tests/support/hear.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { API_KEYS_CHANGED } from './api-key.ts';
import { rememberKeys } from './remember-keys.ts';

const database = useTestDatabase();

function open() {
  const clock = { at: 1_000_000, now: () => clock.at };
  const stored = new Map<string, { isRevoked: boolean }>();
  let reads = 0;
  const memory = rememberKeys({
    clock,
    read: async (hashes: readonly string[]) => {
      reads += 1;
      return hashes.map((hash) => structuredClone(stored.get(hash)));
    },
  });
  return { clock, stored, memory, reads: () => reads };
}

test('a key is read once a second, and one that is not there each time', async () => {
  const { clock, stored, memory, reads } = open();
  stored.set('a', { isRevoked: false });
  for (let time = 0; time < 5; time += 1) {
    expect(await memory.find('a')).toEqual({ isRevoked: false });
  }
  expect(reads()).toBe(1);
  clock.at += 1_001;
  await memory.find('a');
  await memory.find('b');
  await memory.find('b');
  expect(reads()).toBe(4);
  clock.at -= 5_000;
  await memory.find('a');
  expect(reads()).toBe(5);
});

test('whatever is read before, while or after a key ends, it is good for nobody who asks once its end was told', async () => {
  const step = fc.constantFrom('ask', 'wait', 'advance', 'forget');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.array(step, { maxLength: 12 }), async (before, after) => {
      const { clock, stored, memory } = open();
      stored.set('a', { isRevoked: false });
      const asked: Promise<unknown>[] = [];
      const play = async (steps: typeof before) => {
        for (const one of steps) {
          if (one === 'ask') {
            asked.push(memory.find('a'));
          } else if (one === 'wait') {
            await Promise.all(asked);
          } else if (one === 'advance') {
            clock.at += 400;
          } else {
            memory.forget();
          }
        }
      };
      await play(before);
      // Its own process forgets in the transaction, and every process when it hears of the commit.
      memory.forget();
      asked.push(memory.find('a'));
      stored.set('a', { isRevoked: true });
      memory.forget();
      expect(await memory.find('a')).toEqual({ isRevoked: true });
      await play(after);
      expect(await memory.find('a')).toEqual({ isRevoked: true });
      await Promise.all(asked);
    }),
  );
});

test('the process that ends a key takes it for ended from the answer on, before it hears of the commit', async () => {
  const { stored, memory } = open();
  stored.set('a', { isRevoked: false });
  memory.forget();
  // A call that comes while the transaction is open.
  expect(await memory.find('a')).toEqual({ isRevoked: false });
  stored.set('a', { isRevoked: true });
  expect(await memory.find('a')).toEqual({ isRevoked: true });
});

test('the end of a key is told to all who listen, its use is not', async () => {
  const { system } = database.current;
  const heard = await hear(database.current, API_KEYS_CHANGED, async () => {
    await system.query('UPDATE api_keys SET last_used_at = now()');
    await system.query('UPDATE api_keys SET revoked_at = now()');
    await system.query('UPDATE api_keys SET expires_at = now()');
  });
  expect(heard).toHaveLength(2);
});
