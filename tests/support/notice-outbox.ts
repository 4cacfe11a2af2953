import { expect } from 'vitest';
import type { Database } from '#database/index.ts';
import { newId } from '#kit/index.ts';
import type { NoticesDeps } from '#notices/index.ts';

type Given = Pick<NoticesDeps, 'database' | 'vault' | 'clock'> & Pick<NoticesDeps['telegram'], 'sendText'>;

/** As a process has them: every account has a chat of Telegram, and no other channel is connected. */
export function openNoticesDeps({ sendText, ...given }: Given, changes: Partial<NoticesDeps> = {}): NoticesDeps {
  const nobody = { take: async () => ({ isAllowed: true, retryAfterSeconds: 0 }) };
  const unused = () => Promise.reject(new Error('This channel is not connected.'));
  return {
    ...given,
    log: { warn: () => {}, error: () => {} },
    publicUrl: 'https://farebox.test',
    mail: null,
    webhooks: { open: () => expect.unreachable('no webhook is connected') },
    telegram: { sendText },
    discord: { sendContent: unused },
    chats: {
      openTelegram: async (owner) => ({ botToken: 'token', chatId: owner }),
      openDiscord: async () => null,
      listConnected: async (channel, owners) => (channel === 'telegram' ? [...owners] : []),
      refuse: unused,
    },
    limits: { tests: nobody, codes: nobody },
    ...changes,
  };
}

type Place = Pick<Database, 'system'>;

export async function addOwner({ system }: Place): Promise<string> {
  const name = `u${newId().replaceAll('-', '').slice(-20)}`;
  await system.query('INSERT INTO users (id, name, email, username) VALUES ($1, $1, $2, $1)', [
    name,
    `${name}@example.com`,
  ]);
  return name;
}

export async function listMessages({ system }: Place, ownerId: string) {
  const { rows } = await system.query<{ state: string; attempts: number; notice_ids: string[] }>(
    'SELECT state, attempts, notice_ids FROM notice_messages WHERE owner_id = $1 ORDER BY id',
    [ownerId],
  );
  return rows;
}

export async function countNotices({ system }: Place, ownerId: string, event: string): Promise<number> {
  const { rows } = await system.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM notices WHERE owner_id = $1 AND event = $2',
    [ownerId, event],
  );
  return rows[0]?.count ?? 0;
}
