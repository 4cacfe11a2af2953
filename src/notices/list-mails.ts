import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, Problem, type Caller } from '#kit/index.ts';
import type { NoticesDeps } from './notices-deps.ts';

const mail = z.object({ id: z.string(), to: z.string(), subject: z.string(), text: z.string(), createdAt: z.string() });

interface Row {
  id: string;
  recipient: string;
  subject: string;
  text: string;
  created_at: Date;
}

/** The sandbox sends no mail, so that nobody is written to by a program that is tried out. */
export const listMails = operation({
  name: 'notices.mails.list',
  route: 'GET /api/sandbox/mails',
  summary: 'Of the sandbox: the mails that would have been sent for your account, newest first',
  scope: 'notices:read',
  input: z.object({}),
  output: z.object({ note: z.string(), items: z.array(mail) }),
  problems: ['not_found'],
  run: async ({ tx, mail: client }: Pick<NoticesDeps, 'mail'> & InTransaction, caller: Caller) => {
    assertUser(caller);
    if (client !== 'sink') {
      throw new Problem('not_found', { detail: 'This server does not keep mails: it sends them, or has none.' });
    }
    const { rows } = await tx.query<Row>(
      `SELECT id, recipient, subject, text, created_at FROM notice_mails WHERE owner_id = $1 ORDER BY id DESC LIMIT 100`,
      [caller.userId],
    );
    const items = rows.map(({ recipient: to, created_at: at, ...shown }) => ({
      ...shown,
      to,
      createdAt: at.toISOString(),
    }));
    return { note: 'This is the sandbox: mails are kept here and sent to nobody.', items };
  },
});
