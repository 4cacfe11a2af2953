import type { ChatServiceFailure } from '#upstreams/index.ts';
import type { Channel, Delivery, Message } from '../channel.ts';
import type { ChatChannel, NoticesDeps } from '../notices-deps.ts';
import { toText } from './to-text.ts';

/** https://core.telegram.org/bots/api#sendmessage */
const TELEGRAM_MAX = 4_096;
/** https://discord.com/developers/docs/resources/webhook#execute-webhook */
const DISCORD_MAX = 2_000;
const MARKDOWN = /[\\`*_~|>#+\-.![\](){}<@:&]/g;

/** Sent without a parse mode: nothing in a text means anything. */
export const telegram: Channel = {
  send: async (deps, message) => {
    const place = await deps.chats.openTelegram(message.ownerId);
    return place === null
      ? { status: 'disconnected' }
      : toDelivery(deps, await deps.telegram.sendText(place, toText(message, { maxLength: TELEGRAM_MAX }).text), {
          channel: 'telegram',
          ownerId: message.ownerId,
          secret: place.botToken,
        });
  },
  listConnected: ({ chats }, ownerIds) => chats.listConnected('telegram', ownerIds),
};

/** Content is always markdown, so whatever could mean something is escaped. */
export const discord: Channel = {
  send: async (deps, message) => {
    const place = await deps.chats.openDiscord(message.ownerId);
    return place === null
      ? { status: 'disconnected' }
      : toDelivery(deps, await deps.discord.sendContent(place, toContent(message)), {
          channel: 'discord',
          ownerId: message.ownerId,
          secret: place.token,
        });
  },
  listConnected: ({ chats }, ownerIds) => chats.listConnected('discord', ownerIds),
};

function toContent(message: Message): string {
  const escape = (text: string): string => text.replaceAll(MARKDOWN, String.raw`\$&`);
  return toText(message, { maxLength: DISCORD_MAX, escape }).text;
}

/** What the service does not take any more is not used again until its owner mends it, as any other connection. */
async function toDelivery(
  { chats }: Pick<NoticesDeps, 'chats'>,
  sent: { ok: true } | ChatServiceFailure,
  { channel, ...used }: { channel: ChatChannel; ownerId: string; secret: string },
): Promise<Delivery> {
  if (sent.ok) {
    return { status: 'sent' };
  }
  const { detail: problem, verdict, retryAfterSeconds } = sent;
  if (verdict === 'refused') {
    await chats.refuse(channel, { ...used, problem });
    return { status: 'failed', problem, isFinal: true };
  }
  return {
    status: 'failed',
    problem,
    isFinal: false,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterMs: retryAfterSeconds * 1000 }),
  };
}
