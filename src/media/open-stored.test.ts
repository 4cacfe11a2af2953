import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { newId } from '#kit/index.ts';
import { makePng } from '../../tests/support/files.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openFolderStore } from './folder-store.ts';
import { openMedia, type Media } from './index.ts';

const database = useTestDatabase();
const opened: Readable[] = [];
let folder: string;
let media: Media;
let file: { id: string; query: { expires: string; signature: string } };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-open-'));
  const disk = openFolderStore(folder);
  media = openMedia({
    database: database.current,
    folder,
    signingKey: randomBytes(32),
    publicUrl: 'https://f.example',
    clock: { now: () => Date.now() },
    store: {
      ...disk,
      read: async (...asked) => {
        const found = await disk.read(...asked);
        opened.push(...(found ? [found.stream] : []));
        return found;
      },
    },
  });
  const source = { bytes: Buffer.concat([makePng(), randomBytes(1_000_000), makePng()]) };
  const { id, url } = await media.store({ ownerId: 'u1', callId: newId(), expect: 'image', source });
  const { searchParams } = new URL(url);
  const [expires = '', signature = ''] = ['expires', 'signature'].map((name) => searchParams.get(name) ?? '');
  file = { id, query: { expires, signature } };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(range?: { start: number; end: number }): Promise<{ outer: Readable; inner: Readable }> {
  const outer = await (await media.open(file.id, file.query)).read(range);
  const inner = opened.pop();
  if (!inner) {
    throw new Error('Nothing was opened.');
  }
  return { outer: outer.on('error', () => {}), inner };
}

test.each([
  ['a whole file', undefined],
  ['a range', { start: 0, end: 900_000 }],
])('a reader of %s who goes before the first byte leaves nothing open', async (_name, range) => {
  const { outer, inner } = await read(range);
  const closed = new Promise((resolve) => inner.once('close', resolve));
  outer.destroy();
  await closed;
  expect(inner.destroyed).toBe(true);
});

test.each([
  ['a whole file', undefined],
  ['a range', { start: 0, end: 900_000 }],
])('a reader of %s who stands still for a minute is let go', async (_name, range) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const { outer, inner } = await read(range);
    const closed = new Promise((resolve) => inner.once('close', resolve));
    vi.advanceTimersByTime(59_000);
    expect(outer.destroyed).toBe(false);
    vi.advanceTimersByTime(60_000);
    await closed;
    expect(outer.destroyed).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});
