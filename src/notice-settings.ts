/** The settings of what accounts are told: by which mail server and chat services, and how long it is kept. */
import { z } from 'zod';
import { list, origin, secret, setting, url, whole } from './setting.ts';

export const noticeSettings = {
  SMTP_URL: secret(
    url('smtp|smtps').optional(),
    'The mail server that notices are sent by: `smtps://user:password@mail.example.com:465`.',
    'none: in the sandbox mails are kept and shown instead (`GET /api/sandbox/mails`), in live mode there are none',
  ),
  MAIL_FROM: setting(z.email().optional(), 'The address that mails come from. Needed with SMTP_URL.', 'none'),
  WEBHOOK_ORIGINS: setting(
    list(origin('http|https')).default([]),
    'Servers of your own network that accounts may have notices posted to beside public https hosts, comma separated: `http://10.0.0.5:9000`.',
    'none: private addresses are never called',
  ),
  TELEGRAM_API_URL: setting(
    url('http|https').default('https://api.telegram.org'),
    'The Bot API of Telegram.',
    '`https://api.telegram.org`',
  ),
  DISCORD_API_URL: setting(
    url('http|https').default('https://discord.com/api'),
    'The API of Discord, whose webhooks are called.',
    '`https://discord.com/api`',
  ),
  NOTICE_RETENTION_DAYS: setting(
    whole(1, 3_650).default(90),
    'How long notices are kept, and the record of what was sent.',
    '`90`',
  ),
};

type NoticeSettings = { [Name in keyof typeof noticeSettings]: z.output<(typeof noticeSettings)[Name]['schema']> };

/** A mail server takes no mail from nobody. */
export function noticeProblems(values: Partial<NoticeSettings>): string[] {
  const isMissing = values.SMTP_URL !== undefined && 'MAIL_FROM' in values && values.MAIL_FROM === undefined;
  return isMissing ? ['MAIL_FROM: is needed with SMTP_URL, such as notices@example.com'] : [];
}

/** Null where no mail server is named. */
export function toMailOptions({ SMTP_URL: smtpUrl, MAIL_FROM: from }: NoticeSettings) {
  return smtpUrl && from ? { smtpUrl, from } : null;
}
