import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalFile, MediaStore } from '../../src/media/media-store.ts';

interface StoreWorld {
  store: MediaStore;
  close(): Promise<void>;
}

/** What every store owes. Call in a test file. */
export function describeMediaStore(name: string, openWorld: () => Promise<StoreWorld>): void {
  describe(`the media store ${name}`, () => {
    let world: StoreWorld;
    let folder: string;
    let count = 0;
    beforeAll(async () => {
      world = await openWorld();
      folder = await mkdtemp(join(tmpdir(), 'farebox-local-'));
    });
    afterAll(async () => {
      await world.close();
      await rm(folder, { recursive: true, force: true });
    });

    async function makeFile(bytes: Buffer): Promise<LocalFile> {
      const path = join(folder, `file-${(count += 1)}`);
      await writeFile(path, bytes);
      return { path, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
    }

    async function write(bytes: Buffer, key = randomBytes(32).toString('hex')): Promise<string> {
      await world.store.write(key, await makeFile(bytes));
      return key;
    }

    async function readAll(key: string, range?: { start: number; end: number }): Promise<Buffer | null> {
      const found = await world.store.read(key, range);
      const bytes = found && (await buffer(found.stream));
      expect(found?.totalBytes ?? null).toBe(bytes && (await world.store.sizeOf(key)));
      return bytes;
    }

    test('gives back what was written, and its size', async () => {
      const bytes = randomBytes(300_000);
      const key = await write(bytes);
      expect(await readAll(key)).toEqual(bytes);
      expect(await world.store.sizeOf(key)).toBe(bytes.length);
    });

    test.each([
      ['the first two bytes', 0, 1],
      ['the middle', 1_000, 70_000],
      ['the last byte', 99_999, 99_999],
      ['all of it', 0, 99_999],
    ])('reads a range: %s', async (_name, start, end) => {
      const bytes = randomBytes(100_000);
      const key = await write(bytes);
      expect(await readAll(key, { start, end })).toEqual(bytes.subarray(start, end + 1));
    });

    test('has nothing under a key that was never written, and removes it without a fault', async () => {
      const key = randomBytes(32).toString('hex');
      expect(await world.store.read(key)).toBeNull();
      expect(await world.store.read(key, { start: 0, end: 3 })).toBeNull();
      expect(await world.store.sizeOf(key)).toBeNull();
      await world.store.remove(key);
    });

    test('has nothing any more under a key that was removed', async () => {
      const key = await write(Buffer.from('here'));
      await world.store.remove(key);
      expect(await world.store.sizeOf(key)).toBeNull();
      expect(await readAll(key)).toBeNull();
    });

    test('leaves the file where it is that it was given', async () => {
      const file = await makeFile(Buffer.from('still here'));
      await world.store.write(randomBytes(32).toString('hex'), file);
      expect(await readFile(file.path, 'utf8')).toBe('still here');
    });

    test('lists every key once, in the order of its characters, with a time', async () => {
      const prefixes = ['00', '0a', '7f', 'f0', 'ff'];
      const keys = prefixes.map((prefix) => `${prefix}${randomBytes(31).toString('hex')}`);
      const same = ['0199a1fe-9d0c-74e7-a6f4-36061437c03d', '0199a1fe-9d0d-74e7-a6f4-36061437c03d'].map(
        (id) => `${randomBytes(1).toString('hex')}${'c'.repeat(62)}-${id}`,
      );
      await Promise.all([...keys, ...same].map((key) => write(Buffer.from(key), key)));
      const listed: { key: string; modifiedMs: number }[] = [];
      for await (const page of world.store.list()) {
        listed.push(...page);
      }
      const names = listed.map(({ key }) => key);
      expect(names).toEqual([...names].sort());
      expect(new Set(names).size).toBe(names.length);
      expect(names.filter((key) => [...keys, ...same].includes(key))).toEqual([...keys, ...same].sort());
      expect(listed.every(({ modifiedMs }) => Math.abs(Date.now() - modifiedMs) < 600_000)).toBe(true);
    });

    test('a reader who stops early holds nothing up', async () => {
      const key = await write(randomBytes(5_000_000));
      for (let round = 0; round < 50; round += 1) {
        const found = await world.store.read(key);
        for await (const _ of found?.stream ?? []) {
          break;
        }
      }
      expect(await world.store.sizeOf(key)).toBe(5_000_000);
    });

    test('reads no faster than its reader', async () => {
      const key = await write(randomBytes(20_000_000));
      const found = await world.store.read(key);
      const stream = found?.stream;
      const iterator = stream?.[Symbol.asyncIterator]();
      await iterator?.next();
      for (let turn = 0; turn < 200; turn += 1) {
        await new Promise(setImmediate);
      }
      expect(stream?.readableLength).toBeLessThan(2_000_000);
      await iterator?.return?.();
    });
  });
}
