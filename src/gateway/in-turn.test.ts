import { expect, test } from 'vitest';
import { inTurn } from './in-turn.ts';

test('work of one key is done one after the other, in its order, also after one that failed; other keys do not wait', async () => {
  const owner = {};
  const gate = Promise.withResolvers<void>();
  const done: string[] = [];
  const begin = (key: string, name: string, until?: Promise<void>) =>
    inTurn(owner, key, async () => {
      await until;
      done.push(name);
      if (name === 'b') {
        throw new Error('toy');
      }
    });
  const all = [begin('one', 'a', gate.promise), begin('one', 'b'), begin('one', 'c')];
  await begin('two', 'd');
  expect(done).toEqual(['d']);
  gate.resolve();
  expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(done).toEqual(['d', 'a', 'b', 'c']);
});
