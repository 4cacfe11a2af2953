import { newId } from '#kit/index.ts';
import type { MailSent } from '#upstreams/index.ts';
import type { Channel } from '../channel.ts';
import type { NoticesDeps } from '../notices-deps.ts';
import { toText } from './to-text.ts';

const MAX_LENGTH = 20_000;

export const email: Channel = {
  send: async (deps, message) => {
    const { rows } = await deps.database.system.query<{ address: string }>(
      'SELECT address FROM notice_emails WHERE owner_id = $1 AND is_enabled AND verified_at IS NOT NULL',
      [message.ownerId],
    );
    const [row] = rows;
    if (!row || deps.mail === null) {
      return { status: 'disconnected' };
    }
    const { headline, text } = toText(message, { maxLength: MAX_LENGTH });
    const footer = `--\nYou read this because an account at ${deps.publicUrl} has notices sent here. What is sent is chosen with PUT /api/user/notices/preferences.`;
    const sent = await sendMail(deps, {
      id: message.id,
      ownerId: message.ownerId,
      to: row.address,
      subject: headline,
      text: `${text}\n\n${footer}\n`,
    });
    return sent.ok ? { status: 'sent' } : { status: 'failed', problem: sent.detail, isFinal: sent.isFinal };
  },
  listConnected: async ({ database, mail }, ownerIds) => {
    if (mail === null) {
      return [];
    }
    const { rows } = await database.system.query<{ owner_id: string }>(
      `SELECT owner_id FROM notice_emails
       WHERE owner_id = ANY ($1) AND is_enabled AND verified_at IS NOT NULL`,
      [ownerIds],
    );
    return rows.map(({ owner_id: id }) => id);
  },
};

interface OwnMail {
  id: string;
  ownerId: string;
  to: string;
  subject: string;
  text: string;
}

/** By the mail server, or into the sandbox's list of mails. Not inside a transaction. */
export async function sendMail(
  { mail, database, clock }: Pick<NoticesDeps, 'mail' | 'database' | 'clock'>,
  { ownerId, ...sent }: OwnMail,
): Promise<MailSent> {
  if (mail === null) {
    return { ok: false, isFinal: true, detail: 'This server sends no mail.' };
  }
  if (mail !== 'sink') {
    return mail.send(sent);
  }
  await database.system.query(
    'INSERT INTO notice_mails (id, owner_id, recipient, subject, text, created_at) VALUES ($1, $2, $3, $4, $5, $6)',
    [newId(), ownerId, sent.to, sent.subject, sent.text, new Date(clock.now())],
  );
  return { ok: true };
}
