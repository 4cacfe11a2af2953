import type { EventName, Severity } from './event.ts';
import type { NoticesDeps } from './notices-deps.ts';

/** By what an account is told beside its inbox. */
export const channelNames = ['email', 'webhook', 'telegram', 'discord'] as const;
export type ChannelName = (typeof channelNames)[number];

/** A notice as it is sent. */
export interface SentNotice {
  id: string;
  event: EventName;
  severity: Severity;
  subject: string;
  title: string;
  body: string;
  data: unknown;
  createdAt: string;
}

export interface Message {
  /** The same when it is sent again, so that receivers can tell. */
  id: string;
  ownerId: string;
  notices: readonly SentNotice[];
  isTest: boolean;
}

/** `problem` is for the owner: never a secret, never a server's own words. `isFinal`: it will not be tried again. */
export type Delivery =
  | { status: 'sent' }
  | { status: 'failed'; problem: string; isFinal: boolean; retryAfterMs?: number }
  /** The owner has taken the channel away. */
  | { status: 'disconnected' };

export interface Channel {
  /** Never rejects because of the other side. */
  send(deps: NoticesDeps, message: Message): Promise<Delivery>;
  /** Which of these owners have it connected and switched on. */
  listConnected(deps: NoticesDeps, ownerIds: readonly string[]): Promise<string[]>;
}
