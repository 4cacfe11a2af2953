import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDatabase, type Database } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import { collectPages } from '../../tests/support/collect-pages.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openFolderStore } from './folder-store.ts';
import { openMedia, type Media } from './index.ts';
import type { MediaStore } from './media-store.ts';

/*
 * Two processes, each with a database connection and a view of the same store of its own. Between any two of its steps a
 * process can be made to stand still, to fail, or to end.
 */
const database = useTestDatabase();
const WEEK_MS = 7 * 86_400_000;
const HOUR_MS = 3_600_000;
const bytes = PNG.sync.write(new PNG({ width: 3, height: 2 }));
let nowMs = Date.now();
let opened = 0;
let folder: string;
let disk: MediaStore;
let others: Database[];

type Step = 'write' | 'remove' | 'sizeOf';
type Hook = (step: Step, when: 'before' | 'after') => Promise<void>;

beforeAll(async () => {
  others = [0, 1].map(() => openDatabase({ url: database.url, systemConnections: 4 }));
});
afterAll(() => Promise.all(others.map((other) => other.close())));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-race-'));
  disk = openFolderStore(folder);
  await database.current.system.query('DELETE FROM x402_cached_images');
  await database.current.system.query('DELETE FROM media_uploads');
  await database.current.system.query('DELETE FROM media_objects');
  return () => rm(folder, { recursive: true, force: true });
});

function openProcess(at: number, hook: Hook, toKey: (key: string) => string = (key) => key): Media {
  const around = async <T>(step: Step, work: () => Promise<T>): Promise<T> => {
    await hook(step, 'before');
    const done = await work();
    await hook(step, 'after');
    return done;
  };
  const store: MediaStore = {
    ...disk,
    write: (key, file) => around('write', () => disk.write(toKey(key), file)),
    remove: (key) => around('remove', () => disk.remove(toKey(key))),
    sizeOf: (key) => around('sizeOf', () => disk.sizeOf(toKey(key))),
  };
  const signingKey = Buffer.alloc(32, 1);
  const clock = { now: () => nowMs };
  const other = others[at] as Database;
  // What it receives lies in a folder of its own: the clock of these tests is not the one of the files there.
  const own = join(folder, `process-${(opened += 1)}`);
  return openMedia({ database: other, folder: own, store, signingKey, publicUrl: 'https://f.example', clock });
}

const keep = (media: Media, content: Buffer = bytes) =>
  media.store({ ownerId: 'u1', callId: newId(), expect: 'image', source: { bytes: content } });
const nothing: Hook = async () => {};

/** What is wrong between rows and bytes. `isSettled`: everything has ended and was swept. */
async function findFaults(isSettled: boolean, toKey: (key: string) => string = (key) => key): Promise<string[]> {
  const faults: string[] = [];
  const { rows } = await database.current.system.query<{ key: string; bytes: string; state: string }>(
    `SELECT DISTINCT o.key, o.bytes, o.state FROM media_objects o JOIN x402_cached_images r ON r.object_id = o.id`,
  );
  for (const row of rows) {
    if ((await disk.sizeOf(toKey(row.key))) !== Number(row.bytes)) {
      faults.push('a row without its bytes');
    }
  }
  const known = new Set(rows.map(({ key }) => toKey(key)));
  const listed = await collectPages(disk.list());
  if (isSettled && listed.some(({ key }) => !known.has(key))) {
    faults.push('bytes without a row');
  }
  const count = await database.current.system.query('SELECT 1 FROM media_objects');
  if (isSettled && count.rowCount !== known.size) {
    faults.push('an object to which nobody refers');
  }
  return faults;
}

/** One process removes what has expired and is stopped just before the bytes go; the other stores the same content then. */
async function storeWhileRemoving(toKey: (key: string) => string): Promise<string[]> {
  await keep(openProcess(0, nothing, toKey));
  nowMs += WEEK_MS;
  const reached = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const slow = openProcess(
    0,
    async (step, when) => {
      if (step === 'remove' && when === 'before') {
        reached.resolve();
        await go.promise;
      }
    },
    toKey,
  );
  const expiring = slow.expire();
  await reached.promise;
  await keep(openProcess(1, nothing, toKey));
  go.resolve();
  await expiring;
  return findFaults(false, toKey);
}

test('what one process stores is still there after another one removes the same content, however late', async () => {
  expect(await storeWhileRemoving((key) => key)).toEqual([]);
});

test('with keys of the content alone, the bytes of that row are gone: the key of each object is its own', async () => {
  expect(await storeWhileRemoving((key) => key.slice(0, 64))).toEqual(['a row without its bytes']);
});

test('contents that many store at once lie there once', async () => {
  const processes = [openProcess(0, nothing), openProcess(1, nothing)];
  const content = Buffer.concat([bytes, randomBytes(20)]);
  await Promise.all(Array.from({ length: 12 }, (_, at) => keep(processes[at % 2] as Media, content)));
  expect((await collectPages(disk.list())).length).toBe(1);
  expect(await findFaults(true)).toEqual([]);
});

const move = fc.record({
  process: fc.nat(1),
  what: fc.constantFrom('store' as const, 'store' as const, 'expire' as const, 'sweep' as const, 'later' as const),
  content: fc.nat(1),
});
const step = fc.record({
  turns: fc.nat(12),
  fate: fc.constantFrom('on' as const, 'on' as const, 'on' as const, 'on' as const, 'fails' as const, 'dies' as const),
});

test('stores, expiries and sweeps of the same contents in two processes never leave a row without its bytes', async () => {
  const contents = [bytes, Buffer.concat([bytes, Buffer.from('other')])];
  const plan = [
    fc.array(move, { minLength: 2, maxLength: 14 }),
    fc.array(step, { minLength: 20, maxLength: 20 }),
  ] as const;
  await fc.assert(
    fc.asyncProperty(...plan, async (moves, steps) => {
      let at = 0;
      const failures = new Set<string>();
      const going = moves.map(async ({ process, what, content }) => {
        const dead = Promise.withResolvers<void>();
        const media = openProcess(process, async () => {
          const { turns, fate } = steps[(at += 1) % steps.length] ?? { turns: 0, fate: 'on' };
          for (let turn = 0; turn < turns; turn += 1) {
            await new Promise(setImmediate);
          }
          if (fate === 'fails') {
            throw new Error('injected');
          }
          if (fate === 'dies') {
            dead.resolve();
            await new Promise<never>(() => {});
          }
        });
        const works = {
          store: () => keep(media, contents[content]),
          expire: () => media.expire(),
          sweep: () => media.sweep(),
          later: async () => void (nowMs += WEEK_MS),
        };
        const working = works[what]().catch((error: Error) => void failures.add(error.message));
        await Promise.race([working, dead.promise]);
      });
      await Promise.all(going);
      expect([...failures].filter((message) => message !== 'injected')).toEqual([]);
      expect(await findFaults(false)).toEqual([]);
      const survivor = openProcess(0, nothing);
      nowMs += 2 * HOUR_MS;
      await survivor.expire();
      await survivor.sweep();
      expect(await findFaults(true)).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test('an object that was lost goes with its rows, and bytes that nobody knows go, once they are old', async () => {
  const media = openProcess(0, nothing);
  const { id } = await keep(media);
  const other = await keep(media, Buffer.concat([bytes, Buffer.from('x')]));
  const first = (await collectPages(disk.list())).find(({ key }) => key.startsWith(other.sha256));
  await disk.remove(first?.key ?? '');
  expect(await media.sweep()).toEqual({ orphans: 0, lost: 1 });
  const { rows } = await database.current.system.query('SELECT id FROM x402_cached_images');
  expect(rows).toEqual([{ id }]);
  await database.current.system.query('DELETE FROM x402_cached_images');
  await database.current.system.query('DELETE FROM media_objects');
  nowMs = Date.now();
  expect(await media.sweep()).toEqual({ orphans: 0, lost: 0 });
  nowMs += 2 * HOUR_MS;
  expect(await media.sweep()).toEqual({ orphans: 1, lost: 0 });
  expect(await collectPages(disk.list())).toEqual([]);
});

test('a store that has lost nearly everything is taken for the wrong one, and nothing is forgotten', async () => {
  const media = openProcess(0, nothing);
  for (let at = 0; at < 22; at += 1) {
    await keep(media, Buffer.concat([bytes, Buffer.from(String(at))]));
  }
  await rm(folder, { recursive: true });
  expect(await media.sweep()).toEqual({ orphans: 0, lost: 0 });
  const { rowCount } = await database.current.system.query('SELECT 1 FROM x402_cached_images');
  expect(rowCount).toBe(22);
});

test('a database that knows hardly anything of a store is taken for the wrong one, and nothing is removed', async () => {
  const media = openProcess(0, nothing);
  for (let at = 0; at < 22; at += 1) {
    await keep(media, Buffer.concat([bytes, Buffer.from(String(at))]));
  }
  const stored = await collectPages(disk.list());
  await database.current.system.query('DELETE FROM x402_cached_images');
  await database.current.system.query('DELETE FROM media_objects');
  nowMs = Date.now() + 2 * HOUR_MS;
  expect(await media.sweep()).toEqual({ orphans: 0, lost: 0 });
  expect(await collectPages(disk.list())).toEqual(stored);
});
