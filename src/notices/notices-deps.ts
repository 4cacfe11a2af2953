import type { Database } from '#database/index.ts';
import type { Clock, Log, RateLimiter } from '#kit/index.ts';
import type { DiscordClient, MailClient, Outbound, TelegramClient } from '#upstreams/index.ts';
import type { Vault } from '#vault/index.ts';

/** What an account has connected of a chat service; null where nothing is, or what is does not work. */
export interface ChatConnections {
  openTelegram(ownerId: string): Promise<{ botToken: string; chatId: string } | null>;
  openDiscord(ownerId: string): Promise<{ webhookId: string; token: string } | null>;
  /** Which of these owners have connected it. */
  listConnected(channel: ChatChannel, ownerIds: readonly string[]): Promise<string[]>;
  /** The service does not take it any more. */
  refuse(channel: ChatChannel, refused: { ownerId: string; secret: string; problem: string }): Promise<void>;
}

export type ChatChannel = 'telegram' | 'discord';

export interface NoticesDeps {
  database: Database;
  vault: Vault;
  clock: Clock;
  log: Pick<Log, 'warn' | 'error'>;
  /** The origin that links in messages begin with. */
  publicUrl: string;
  /** Null: this server sends no mail. `sink`: mails are kept to be read here. */
  mail: Pick<MailClient, 'send'> | 'sink' | null;
  webhooks: Pick<Outbound, 'open'>;
  telegram: Pick<TelegramClient, 'sendText'>;
  discord: Pick<DiscordClient, 'sendContent'>;
  chats: ChatConnections;
  limits: {
    /** Messages for a test, by account. */
    tests: RateLimiter;
    /** Mails with a code, by account and by address. */
    codes: RateLimiter;
  };
}
