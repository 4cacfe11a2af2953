import { beforeAll, beforeEach, expect, test } from 'vitest';
import { newId, type User } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openToyResources, perform, publishToy, tellOfKey } from '../../tests/support/toy-resources.ts';
import {
  getResource,
  openResumption,
  pauseResource,
  pauseUnready,
  publishResource,
  updateResource,
  type PauseRequest,
  type ResourcesDeps,
} from './index.ts';
import { lookSoon } from './resume-ready.ts';

const database = useTestDatabase();
const HOUR_MS = 3_600_000;
let toy: ReturnType<typeof openToyResources>;
let deps: ResourcesDeps;
let creator: User;
let resumeReady: () => Promise<number>;

beforeAll(async () => {
  creator = await openToyResources(database.current).addUser('ada');
});
beforeEach(async () => {
  await database.current.system.query(`UPDATE x402_resources SET state = 'archived', paused_by = NULL`);
  toy = openToyResources(database.current);
  deps = toy.deps;
  resumeReady = openResumption({ ...deps, log: { warn: () => {} } });
});

const make = (needsKey = false) =>
  publishToy(deps, creator, { slug: `s-${newId()}`, config: { template: '{topic}{/topic}', needsKey } });
const read = (id: string) => perform(getResource, [deps, creator], { id });
const publish = (id: string) => perform(publishResource, [deps, creator], { id });
const rename = (id: string, name: string) => perform(updateResource, [deps, creator], { id, name });

async function findVersionId(id: string): Promise<string> {
  const { rows } = await database.current.system.query<{ found: string }>(
    'SELECT published_version_id AS found FROM x402_resources WHERE id = $1',
    [id],
  );
  return rows[0]?.found ?? '';
}

async function pause(id: string, by: PauseRequest['by'] = 'readiness', versionId?: string): Promise<void> {
  const version = versionId ?? (await findVersionId(id));
  await pauseUnready(deps, { resourceId: id, ownerId: creator.userId, versionId: version, by, cause: 'x: It broke.' });
}

const gone = { ready: false, cause: 'model_gone: Choose another.' } as const;
const lacksKey = { ready: false, cause: 'key_missing: Store a key.', lacksKey: true } as const;

/** Looks every three seconds for so long, and counts how often the kind was asked. */
async function countLooks(minutes: number): Promise<number> {
  let asked = 0;
  toy.kind.isReady = async () => {
    asked += 1;
    return toy.kind.readiness;
  };
  for (let at = 0; at < minutes * 20; at += 1) {
    later(3_000);
    await resumeReady();
  }
  return asked;
}

const later = (ms: number) => void (toy.clock.nowMs += ms);

test('a fault of an older version does not pause a newer one', async () => {
  const { id } = await make();
  const older = await findVersionId(id);
  await rename(id, 'Mended');
  await publish(id);
  await pause(id, 'fault', older);
  expect(await read(id)).toMatchObject({ state: 'published', pausedBy: null });
  await pause(id, 'fault');
  expect(await read(id)).toMatchObject({ state: 'paused', pausedBy: 'fault', pauseCause: 'It broke.' });
});

test('what is not ready stays paused and is told why as it is today; once it is ready it is sold again', async () => {
  const { id } = await make();
  await pause(id);
  toy.kind.readiness = { ready: false, cause: 'model_gone: Choose another.' };
  later(2_000);
  expect(await resumeReady()).toBe(0);
  expect(await read(id)).toMatchObject({ state: 'paused', pauseCause: 'Choose another.' });
  toy.kind.readiness = { ready: true };
  const told: string[] = [];
  await openResumption({ ...deps, log: { warn: () => {} }, onChanged: (changed) => told.push(changed) })();
  expect(await read(id)).toMatchObject({ state: 'published', pausedBy: null, pauseCause: null });
  expect(told).toEqual([id]);
});

test('a pause of the owner is nobody else’s to begin or to end', async () => {
  const { id } = await make();
  await perform(pauseResource, [deps, creator], { id });
  await pause(id, 'fault');
  later(2 * HOUR_MS);
  expect(await resumeReady()).toBe(0);
  expect(await read(id)).toMatchObject({ state: 'paused', pausedBy: 'owner', pauseCause: 'Paused by its creator.' });
});

test('what a call found is tried again after an hour and not before', async () => {
  const { id } = await make();
  await pause(id, 'fault');
  later(HOUR_MS - 1);
  expect(await resumeReady()).toBe(0);
  later(1);
  expect(await resumeReady()).toBe(1);
  expect(await read(id)).toMatchObject({ state: 'published' });
});

test('saving the draft does not begin the hour anew', async () => {
  const { id } = await make();
  await pause(id, 'fault');
  later(HOUR_MS / 2);
  await rename(id, 'Other');
  await tellOfKey(deps, creator.userId, ['openrouter', 'The key was removed.']);
  later(HOUR_MS / 2);
  expect(await resumeReady()).toBe(1);
  expect(await read(id)).toMatchObject({ state: 'published' });
});

test('what stays unable is asked ever more seldom, at last every ten minutes, and at once when the models change', async () => {
  const { id } = await make();
  await pause(id);
  toy.kind.readiness = gone;
  expect(await countLooks(20)).toBeLessThanOrEqual(10);
  expect(await countLooks(60)).toBeLessThanOrEqual(7);
  toy.kind.readiness = { ready: true };
  await database.current.transaction((tx) => lookSoon(tx, new Date(toy.clock.nowMs)));
  expect(await resumeReady()).toBe(1);
  expect(await read(id)).toMatchObject({ state: 'published' });
});

test('what waits for a key of its owner is not asked for ever: the key itself ends the pause', async () => {
  const { id } = await make(true);
  await pause(id, 'key');
  toy.kind.readiness = lacksKey;
  expect(await countLooks(30)).toBeLessThanOrEqual(10);
  expect(await countLooks(120)).toBe(0);
  await tellOfKey(deps, creator.userId, ['openrouter', null]);
  expect(await read(id)).toMatchObject({ state: 'published' });
});

test('a new key has its owner’s other resources looked at soon too', async () => {
  const { id } = await make(true);
  await pause(id);
  toy.kind.readiness = gone;
  await countLooks(20);
  toy.kind.readiness = { ready: true };
  await tellOfKey(deps, creator.userId, ['openrouter', null]);
  expect(await resumeReady()).toBe(1);
});

test('why a key went stands as it was told, whatever is found missing later', async () => {
  const { id } = await make(true);
  await tellOfKey(deps, creator.userId, ['openrouter', 'Your key was deleted. Store another one.']);
  toy.kind.readiness = lacksKey;
  later(10_000);
  expect(await resumeReady()).toBe(0);
  expect(await read(id)).toMatchObject({ pausedBy: 'key', pauseCause: 'Your key was deleted. Store another one.' });
});

test('a key that goes while readiness is asked keeps the resource paused', async () => {
  const { id } = await make(true);
  await pause(id);
  later(2_000);
  toy.kind.isReady = async () => {
    later(5);
    await tellOfKey(deps, creator.userId, ['openrouter', 'The key was removed.']);
    return { ready: true };
  };
  expect(await resumeReady()).toBe(0);
  expect(await read(id)).toMatchObject({ state: 'paused' });
});

test('a kind that throws when it is asked resumes nothing and holds up nobody', async () => {
  const broken = await make();
  const fine = await make();
  await pause(broken.id);
  await pause(fine.id);
  later(2_000);
  toy.kind.isReady = async ({ resourceId }) =>
    resourceId === broken.id ? Promise.reject(new Error('no')) : { ready: true };
  expect(await resumeReady()).toBe(1);
  expect([await read(broken.id), await read(fine.id)]).toMatchObject([{ state: 'paused' }, { state: 'published' }]);
});

test('publishing a version that can run ends a pause for want of that, unless a key goes meanwhile', async () => {
  const mended = await make(true);
  await pause(mended.id);
  await rename(mended.id, 'Mended');
  expect(await publish(mended.id)).toMatchObject({ state: 'published', pausedBy: null, published: { version: 2 } });
  await pause(mended.id);
  await rename(mended.id, 'Raced');
  toy.kind.beforeCheck = async () => {
    later(5);
    await tellOfKey(deps, creator.userId, ['openrouter', 'The key was removed.']);
  };
  expect(await publish(mended.id)).toMatchObject({ state: 'paused', published: { version: 3 } });
});

test('what cannot run is not published, and the refusal says what to do', async () => {
  const { id } = await make();
  await rename(id, 'Unready');
  toy.kind.readiness = { ready: false, cause: 'key_missing: Store a key.' };
  await expect(publish(id)).rejects.toMatchObject({
    code: 'unprocessable',
    fields: [{ path: '/config', message: 'Store a key.' }],
  });
  toy.kind.readiness = { ready: false, cause: 'spent: Until tomorrow.', retryAfterSeconds: 60 };
  expect(await publish(id)).toMatchObject({ state: 'published' });
});

test('a creator whose calls another key can pay for is not paused when the own key goes, and is told what still sells', async () => {
  const { id } = await make(true);
  const covered = {
    ...deps,
    isCovered: (username: string, service: string) => `${username} ${service}` === 'ada openrouter',
  };
  const told = await tellOfKey(covered, creator.userId, ['openrouter', 'The key was removed.']);
  expect(told).toMatchObject({ paused: [], resumed: [] });
  expect(told.stillSelling).toContain(id);
  expect(await read(id)).toMatchObject({ state: 'published' });
});
