import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { masterKeyFromText, openVault, type Vault } from '#vault/index.ts';
import * as outbox from '../../tests/support/notice-outbox.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import type { EventData } from './event.ts';
import { expireNotices } from './expire.ts';
import type { NoticesDeps } from './notices-deps.ts';
import { sendDue } from './send-due.ts';
import { pace, spreadNotices } from './spread.ts';
import { lockEvent, observe, tell } from './tell.ts';

const database = useTestDatabase();
const clock = { nowMs: Date.parse('2026-03-01T00:00:00Z'), now: () => clock.nowMs };
const MINUTE = 60_000;
let vault: Vault;
let ownerId = '';

/** What was sent by Telegram, and what it answers. */
let sent: { id: string; text: string }[] = [];
let answer: () => Promise<Awaited<ReturnType<NoticesDeps['telegram']['sendText']>>>;
const works = async () => ({ ok: true }) as const;
const down = async () => ({ ok: false, verdict: 'unclear', detail: 'Telegram does not answer.' }) as const;

beforeAll(async () => {
  vault = await openVault({
    database: database.current,
    masterKey: masterKeyFromText(randomBytes(32).toString('hex')),
    clock,
  });
});
beforeEach(async () => {
  await database.current.system.query('DELETE FROM notice_messages');
  await database.current.system.query('DELETE FROM notices');
  ownerId = await addOwner();
  [sent, answer] = [[], works];
});

const addOwner = () => outbox.addOwner(database.current);
const listMessages = () => outbox.listMessages(database.current, ownerId);
const countNotices = (event: string) => outbox.countNotices(database.current, ownerId, event);

function openDeps(changes: Partial<NoticesDeps> = {}): NoticesDeps {
  const sendText: NoticesDeps['telegram']['sendText'] = async ({ chatId }, text) => {
    sent.push({ id: chatId, text });
    return answer();
  };
  return outbox.openNoticesDeps({ database: database.current, vault, clock, sendText }, changes);
}

const owed = (slug = 'essay'): EventData['calls_owed'] => ({ slug, calls: 1, since: '2026-03-01T00:00:00Z' });

function tellOwed(occasion: string, slug?: string, owner = ownerId): Promise<number> {
  const told = { ownerId: owner, subject: slug ?? 'essay', occasion, data: owed(slug) };
  return tell({ tx: database.current.system, clock }, 'calls_owed', [told]);
}

test('whatever is seen in whatever order, by two processes at a time, each rise is told once', async () => {
  const subjects = ['one', 'two', 'three'];
  const look = fc.array(fc.record({ subject: fc.constantFrom(...subjects), level: fc.integer({ min: 0, max: 3 }) }), {
    maxLength: 3,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(look, { maxLength: 8 }), async (looks) => {
      const owner = await addOwner();
      const levels = new Map<string, number>();
      let rises = 0;
      for (const found of looks) {
        const now = new Map(found.map(({ subject, level }) => [subject, level]));
        const seen = [...now].map(([subject, level]) => ({ ownerId: owner, subject, level, data: owed(subject) }));
        await Promise.all(
          [1, 2].map(() =>
            database.current.transaction(async (tx) => {
              await lockEvent(tx, 'calls_owed');
              await observe({ tx, clock }, 'calls_owed', { seen, isWhole: true });
            }),
          ),
        );
        for (const subject of subjects) {
          rises += (now.get(subject) ?? 0) > (levels.get(subject) ?? 0) ? 1 : 0;
          levels.set(subject, now.get(subject) ?? 0);
        }
      }
      const { rows } = await database.current.system.query('SELECT FROM notices WHERE owner_id = $1', [owner]);
      expect(rows).toHaveLength(rises);
    }),
    { numRuns: 30 },
  );
});

test('two processes that spread and send at once send each notice once', async () => {
  const owners = await Promise.all(Array.from({ length: 12 }, addOwner));
  await Promise.all(owners.flatMap((owner) => [tellOwed('1', 'essay', owner), tellOwed('1', 'poem', owner)]));
  const [one, other] = [openDeps(), openDeps()];
  const work = async (deps: NoticesDeps): Promise<void> => {
    await spreadNotices(deps);
    await sendDue(deps);
  };
  await Promise.all([work(one), work(other)]);
  await Promise.all([work(one), work(other)]);
  expect(sent.map(({ id }) => id).sort()).toEqual(owners.toSorted());
  expect(sent.every(({ text }) => text.includes('essay') && text.includes('poem'))).toBe(true);
});

test('a process that dies between its claim and the sending loses nothing: another one sends when the claim has run out', async () => {
  await tellOwed('1');
  const claimed = Promise.withResolvers<void>();
  const dying = openDeps({ telegram: { sendText: () => (claimed.resolve(), new Promise(() => {})) } });
  await spreadNotices(dying);
  void sendDue(dying);
  await claimed.promise;
  expect(await sendDue(openDeps())).toBe(0);
  clock.nowMs += 2 * MINUTE;
  expect(await sendDue(openDeps())).toBe(1);
  expect(sent).toHaveLength(1);
  expect(await listMessages()).toMatchObject([{ state: 'sent', attempts: 2 }]);
});

test('what fails on this server each time is given up as well', async () => {
  await tellOwed('1');
  const deps = openDeps({ telegram: { sendText: () => Promise.reject(new Error('canary of the vault')) } });
  await spreadNotices(deps);
  for (let attempt = 1; attempt <= 8; attempt += 1) {
    expect(await sendDue(deps)).toBe(1);
    clock.nowMs += 120 * MINUTE;
  }
  expect(await sendDue(deps)).toBe(0);
  expect(await listMessages()).toMatchObject([{ state: 'given_up', attempts: 8 }]);
  expect(await countNotices('channel_failed')).toBe(1);
});

test.each([1e300, 400 * 24 * 60 * MINUTE])(
  'a receiver that asks for %d ms is tried again within hours',
  async (asked) => {
    await tellOwed('1');
    const deps = openDeps();
    await spreadNotices(deps);
    answer = async () => ({ ...(await down()), retryAfterSeconds: asked / 1000 });
    await sendDue(deps);
    clock.nowMs += 6 * 60 * MINUTE;
    answer = works;
    expect(await sendDue(deps)).toBe(1);
    expect(await listMessages()).toMatchObject([{ state: 'sent', attempts: 2 }]);
  },
);

test('what was not tried yet leaves before what failed, however many failed', async () => {
  const owners = await Promise.all(Array.from({ length: 30 }, addOwner));
  await Promise.all(owners.map((owner) => tellOwed('1', 'essay', owner)));
  const deps = openDeps();
  answer = down;
  await spreadNotices(deps);
  await sendDue(deps);
  await sendDue(deps);
  clock.nowMs += MINUTE;
  await tellOwed('1');
  await spreadNotices(deps);
  [sent, answer] = [[], works];
  await sendDue(deps);
  expect(sent.map(({ id }) => id)).toContain(ownerId);
});

test.each([
  ['failed', down],
  ['was refused', async () => ({ ...(await down()), verdict: 'refused' as const })],
])(
  'a process that comes back after its claim ran out says nothing about the message that another one sent (%s)',
  async (_, end) => {
    await tellOwed('1');
    await spreadNotices(openDeps());
    const asleep = Promise.withResolvers<void>();
    const claimed = Promise.withResolvers<void>();
    answer = async () => {
      claimed.resolve();
      await asleep.promise;
      return end();
    };
    const refuse = async (): Promise<void> => {};
    const late = sendDue(openDeps({ chats: { ...openDeps().chats, refuse } }));
    await claimed.promise;
    clock.nowMs += 2 * MINUTE;
    answer = works;
    await sendDue(openDeps());
    asleep.resolve();
    await late;
    expect(await listMessages()).toMatchObject([{ state: 'sent', attempts: 2 }]);
    expect(await countNotices('channel_failed')).toBe(0);
  },
);

test('what goes beyond the pace of a channel leaves together when there is room again, and nothing is lost', async () => {
  const { messages, windowMs } = pace.telegram;
  const deps = openDeps();
  for (let number = 0; number < messages + 15; number += 1) {
    await tellOwed(String(number), `resource-${number}`);
    await spreadNotices(deps);
    await sendDue(deps);
  }
  expect(sent).toHaveLength(messages);
  clock.nowMs += windowMs;
  await sendDue(deps);
  expect(sent).toHaveLength(messages + 1);
  expect(sent.at(-1)?.text).toContain(`resource-${messages}`);
  const told = (await listMessages()).flatMap(({ notice_ids: ids }) => ids);
  expect(new Set(told).size).toBe(messages + 15);
  expect(told).toHaveLength(messages + 15);
});

test('a message that waits takes up so many notices and no more: others leave with the next', async () => {
  const deps = openDeps();
  for (let number = 0; number < pace.telegram.messages; number += 1) {
    await tellOwed(`before ${number}`);
    await spreadNotices(deps);
    await sendDue(deps);
  }
  await Promise.all(Array.from({ length: 450 }, (_, number) => tellOwed(String(number))));
  while ((await spreadNotices(deps)) > 0);
  const waiting = (await listMessages()).filter(({ state }) => state !== 'sent');
  expect(waiting.map(({ notice_ids: ids }) => ids.length)).toEqual([200, 200, 50]);
  clock.nowMs += pace.telegram.windowMs;
  while ((await sendDue(deps)) > 0);
  expect((await listMessages()).every(({ state }) => state === 'sent')).toBe(true);
});

test('a channel that is down is tried again ever more seldom, then given up and told once until it works', async () => {
  const deps = openDeps();
  answer = down;
  const waits: number[] = [];
  for (const occasion of ['1', '2']) {
    await tellOwed(occasion);
    await spreadNotices(deps);
    for (let attempt = 1; attempt <= 8; attempt += 1) {
      expect(await sendDue(deps)).toBe(1);
      const { rows } = await database.current.system.query<{ next_at: Date }>(
        `SELECT next_at FROM notice_messages WHERE owner_id = $1 AND state = 'waiting'`,
        [ownerId],
      );
      waits.push(rows[0] ? rows[0].next_at.getTime() - clock.nowMs : 0);
      clock.nowMs += waits.at(-1) ?? 0;
    }
  }
  expect(waits[0]).toBeGreaterThanOrEqual(2_500);
  expect(waits[0]).toBeLessThanOrEqual(7_500);
  expect(waits[4]).toBeGreaterThan(waits[2] ?? 0);
  expect((await listMessages()).map(({ state }) => state)).toEqual(['given_up', 'given_up']);
  expect(await countNotices('channel_failed')).toBe(1);
  answer = works;
  await tellOwed('3');
  await spreadNotices(deps);
  await sendDue(deps);
  answer = async () => ({ ...(await down()), verdict: 'refused' }) as const;
  const refused: unknown[] = [];
  const refuse: NoticesDeps['chats']['refuse'] = async (channel, { problem }) => void refused.push([channel, problem]);
  await tellOwed('4');
  await spreadNotices(deps);
  await sendDue({ ...deps, chats: { ...deps.chats, refuse } });
  expect(refused).toEqual([['telegram', 'Telegram does not answer.']]);
  expect(await countNotices('channel_failed')).toBe(2);
});

test('notices are forgotten after their time, and what still stands is not told again for it', async () => {
  const seen = [{ ownerId, subject: 'essay', level: 1, data: owed() }];
  const look = () => observe({ tx: database.current.system, clock }, 'calls_owed', { seen, isWhole: false });
  expect(await look()).toBe(1);
  await spreadNotices(openDeps());
  await sendDue(openDeps());
  clock.nowMs += 91 * 24 * 60 * MINUTE;
  await tellOwed('later');
  await expireNotices({ database: database.current, clock }, 90);
  expect(await countNotices('calls_owed')).toBe(1);
  expect(await listMessages()).toEqual([]);
  expect(await look()).toBe(0);
});

test('texts of strangers mean nothing in a message', async () => {
  const contents: string[] = [];
  const hostile = '**x** @everyone [free](https://evil.example) <@1> `y`\n> z \u202egnp\u0000';
  const deps = openDeps({
    discord: { sendContent: async (_webhook, content) => (contents.push(content), { ok: true }) },
    chats: {
      ...openDeps().chats,
      openDiscord: async () => ({ webhookId: '1', token: 'token' }),
      listConnected: async (_channel, owners) => [...owners],
    },
  });
  await tellOwed('1', hostile);
  await spreadNotices(deps);
  await sendDue(deps);
  const line = '**x** @everyone [free](https://evil.example) <@1> `y` > z  gnp';
  expect(sent[0]?.text.split('\n')[0]).toBe(`A buyer waits for what they paid at ${line}`);
  expect(contents[0]?.replaceAll(/\\[^]/g, '')).not.toMatch(/[*@[\]()<>`]/);
  expect(contents[0]?.replaceAll('\\', '')).toContain(line);
});
