import { safeParse } from '#kit/index.ts';
import { z } from 'zod';
import { openChatService, type ChatServiceFailure } from '../chat-service.ts';

/** A webhook of a channel; whoever has both may write there. */
export interface DiscordWebhook {
  webhookId: string;
  token: string;
}

export interface DiscordClient {
  /** Is there such a webhook? Never rejects. */
  findWebhook(webhook: DiscordWebhook): Promise<{ ok: true; name: string; channelId: string } | ChatServiceFailure>;
  /** `content` is markdown. Nobody is mentioned, and links have no previews. Never rejects. */
  sendContent(webhook: DiscordWebhook, content: string): Promise<{ ok: true } | ChatServiceFailure>;
  close(): Promise<void>;
}

const MAX_NAME = 100;
/** https://discord.com/developers/docs/resources/message#message-object-message-flags */
const SUPPRESS_EMBEDS = 4;
const found = z.object({ name: z.string().nullable(), channel_id: z.string().nullable() }).partial();
const limited = z.object({ retry_after: z.number().positive() });

const UNCLEAR: ChatServiceFailure = { ok: false, verdict: 'unclear', detail: 'Discord does not answer at the moment.' };

/** Webhooks of Discord (https://discord.com/developers/docs/resources/webhook). The token stands in the path. */
export function openDiscord({ baseUrl }: { baseUrl: string }): DiscordClient {
  const service = openChatService(baseUrl);
  const call = async (
    { webhookId, token }: DiscordWebhook,
    asked: { query?: string; body?: object },
  ): Promise<{ ok: true; body: unknown } | ChatServiceFailure> => {
    try {
      const path = `/webhooks/${webhookId}/${token}${asked.query ?? ''}`;
      const { body } = asked;
      const got = await service.ask(body === undefined ? { method: 'GET', path } : { method: 'POST', path, body });
      return got.status < 300 ? { ok: true, body: got.body } : toFailure(got);
    } catch {
      return UNCLEAR;
    }
  };
  return {
    findWebhook: async (webhook) => {
      const got = await call(webhook, {});
      if (!got.ok) {
        return got;
      }
      const { name, channel_id: channelId } = safeParse(found, got.body).data ?? {};
      return { ok: true, name: (name ?? '').slice(0, MAX_NAME), channelId: (channelId ?? '').slice(0, MAX_NAME) };
    },
    sendContent: async (webhook, content) => {
      const body = { content, allowed_mentions: { parse: [] }, flags: SUPPRESS_EMBEDS };
      const sent = await call(webhook, { query: '?wait=true', body });
      return sent.ok ? { ok: true } : sent;
    },
    close: () => service.close(),
  };
}

function toFailure({ status, body }: { status: number; body: unknown }): ChatServiceFailure {
  if (status === 429) {
    const wait = safeParse(limited, body).data?.retry_after;
    return wait === undefined ? UNCLEAR : { ...UNCLEAR, retryAfterSeconds: Math.ceil(wait) };
  }
  return status === 401 || status === 403 || status === 404
    ? { ok: false, verdict: 'refused', detail: 'Discord does not know this webhook any more.' }
    : UNCLEAR;
}
