import { beforeEach, expect, test } from 'vitest';
import type { PublishedVersion } from './resource-kind.ts';
import { openVersionCache } from './version-cache.ts';

let nowMs = 0;
let asked: string[] = [];
let stored = new Map<string, string>();
/** Replaced by tests that decide when an answer arrives. */
let answer = (key: string): Promise<PublishedVersion | null> => Promise.resolve(read(key));

beforeEach(() => {
  nowMs = 0;
  asked = [];
  stored = new Map([
    ['a', 'one'],
    ['b', 'two'],
    ['c', 'three'],
  ]);
  answer = (key) => Promise.resolve(read(key));
});

function read(key: string): PublishedVersion | null {
  const name = stored.get(key);
  return name === undefined
    ? null
    : ({ resourceId: key, name, config: 'x'.repeat(100) } as unknown as PublishedVersion);
}

function open(bounds: { maxEntries?: number; maxWeight?: number } = {}) {
  const load = (key: string) => {
    asked.push(key);
    return answer(key);
  };
  return openVersionCache({ load, now: () => nowMs, ...bounds });
}

test('answers at once what it holds, until it is dropped', async () => {
  const cache = open();
  await cache.find('a');
  expect(cache.find('a')).toMatchObject({ name: 'one' });
  stored.set('a', 'changed');
  cache.drop('b');
  expect(cache.find('a')).toMatchObject({ name: 'one' });
  cache.drop('a');
  expect(await cache.find('a')).toMatchObject({ name: 'changed' });
  cache.drop();
  await cache.find('a');
  expect(asked).toEqual(['a', 'a', 'a']);
});

test('asks once for many who wait', async () => {
  const cache = open();
  const found = await Promise.all(Array.from({ length: 50 }, async () => cache.find('a')));
  expect(new Set(found).size).toBe(1);
  expect(asked).toEqual(['a']);
});

test('remembers for five seconds, and no longer, that there is nothing', async () => {
  const cache = open();
  expect(await cache.find('nobody')).toBeNull();
  stored.set('nobody', 'late');
  nowMs = 4_999;
  expect(cache.find('nobody')).toBeNull();
  nowMs = 5_000;
  expect(await cache.find('nobody')).toMatchObject({ name: 'late' });
});

test('forgets at any change that there was nothing', async () => {
  const cache = open();
  await cache.find('nobody');
  stored.set('nobody', 'published');
  cache.drop('some-other-id');
  expect(await cache.find('nobody')).toMatchObject({ name: 'published' });
});

test('holds a bounded number, oldest out first', async () => {
  const cache = open({ maxEntries: 2 });
  await cache.find('a');
  await cache.find('b');
  await cache.find('c');
  expect(cache.find('b')).toMatchObject({ name: 'two' });
  expect(cache.find('c')).toMatchObject({ name: 'three' });
  expect(cache.find('a')).toBeInstanceOf(Promise);
});

test('holds a bounded size', async () => {
  const cache = open({ maxWeight: 250 });
  await cache.find('a');
  await cache.find('b');
  await cache.find('c');
  expect(cache.find('a')).toBeInstanceOf(Promise);
  expect(cache.find('c')).toMatchObject({ name: 'three' });
});

test('holds a bounded number of misses', async () => {
  const cache = open({ maxEntries: 2 });
  await cache.find('x');
  await cache.find('y');
  await cache.find('z');
  expect(cache.find('z')).toBeNull();
  expect(cache.find('x')).toBeInstanceOf(Promise);
});

test('what was read before a change is not kept after it', async () => {
  const cache = open();
  const slow = Promise.withResolvers<PublishedVersion | null>();
  answer = () => slow.promise;
  const early = cache.find('a');
  const old = read('a');
  stored.set('a', 'changed');
  cache.drop('a');
  answer = (key) => Promise.resolve(read(key));
  const late = cache.find('a');
  slow.resolve(old);
  expect(await early).toMatchObject({ name: 'changed' });
  expect(await late).toMatchObject({ name: 'changed' });
  expect(cache.find('a')).toMatchObject({ name: 'changed' });
});

test('a failure reaches those who wait and is not remembered', async () => {
  const cache = open();
  answer = () => Promise.reject(new Error('database is away'));
  await expect(cache.find('a')).rejects.toThrow('database is away');
  answer = (key) => Promise.resolve(read(key));
  expect(await cache.find('a')).toMatchObject({ name: 'one' });
});

test('what it holds cannot be changed by those who read it', async () => {
  const cache = open();
  const found = await cache.find('a');
  expect(() => Object.assign(found as object, { name: 'mine' })).toThrow(TypeError);
});
