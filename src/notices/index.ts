/**
 * What accounts are told: the inbox, and by mail, webhook, Telegram and Discord. Events are a closed list (`event.ts`).
 * Invariants: what has a cause in the database is told in the cause's transaction, or not at all; the same occasion is told
 * once, whatever repeats it, and what has fallen and rises again is told again; a message is sent at least once, by one
 * process at a time, and under one id; what a channel cannot take stays in the inbox; no failure tells a secret, and no
 * text of a stranger means anything where it is shown. Who is told knows nothing of the modules that are watched.
 */
export { expireNotices } from './expire.ts';
export { confirmEmail, deleteEmail, getEmail, putEmail, updateEmail } from './email-address.ts';
export { tellConnection, tellSale } from './follow-changes.ts';
export { listChannels, testChannel } from './list-channels.ts';
export { listMails } from './list-mails.ts';
export { listNotices } from './list-notices.ts';
export { markRead } from './mark-read.ts';
export type { NoticesDeps } from './notices-deps.ts';
export { getPreferences, putPreferences } from './preferences.ts';
export { sendDue } from './send-due.ts';
export { spreadNotices } from './spread.ts';
export { tellCapReached, tellRefused } from './tell-refusal.ts';
export { tellCatalogue, watchCatalogue } from './watch-catalogue.ts';
export { watchMoney } from './watch-money.ts';
export type { WatchSources } from './watch-sources.ts';
export { deleteWebhook, getWebhook, putWebhook, updateWebhook } from './webhook-target.ts';
