import { safeParse } from '#kit/index.ts';
import { z } from 'zod';
import { openChatService, type ChatServiceFailure } from '../chat-service.ts';

/** One bot and one chat of it. */
export interface TelegramPlace {
  botToken: string;
  chatId: string;
}

export interface TelegramClient {
  /** Is there such a bot, and does it see the chat? Never rejects. */
  findChat(place: TelegramPlace): Promise<{ ok: true; botUsername: string; chatTitle: string } | ChatServiceFailure>;
  /** As plain text, without previews of links. Never rejects. */
  sendText(place: TelegramPlace, text: string): Promise<{ ok: true } | ChatServiceFailure>;
  close(): Promise<void>;
}

const MAX_NAME = 100;
const answer = z.object({
  ok: z.boolean(),
  result: z.unknown(),
  error_code: z.number().optional(),
  parameters: z.object({ retry_after: z.number().positive() }).partial().optional(),
});
const bot = z.object({ username: z.string() });
const chat = z.object({ title: z.string().optional(), username: z.string().optional() });

const UNCLEAR: ChatServiceFailure = {
  ok: false,
  verdict: 'unclear',
  detail: 'Telegram does not answer at the moment.',
};

/** The Bot API (https://core.telegram.org/bots/api). The token stands in the path, so no path may be logged. */
export function openTelegram({ baseUrl }: { baseUrl: string }): TelegramClient {
  const service = openChatService(baseUrl);
  const call = async (
    token: string,
    method: string,
    body: object,
  ): Promise<{ ok: true; result: unknown } | ChatServiceFailure> => {
    try {
      const got = await service.ask({ method: 'POST', path: `/bot${token}/${method}`, body });
      const parsed = safeParse(answer, got.body);
      return parsed.data?.ok ? { ok: true, result: parsed.data.result } : toFailure(got.status, parsed.data);
    } catch {
      return UNCLEAR;
    }
  };
  return {
    findChat: async ({ botToken, chatId }) => {
      const me = await call(botToken, 'getMe', {});
      if (!me.ok) {
        return me;
      }
      const found = await call(botToken, 'getChat', { chat_id: chatId });
      if (!found.ok) {
        return found;
      }
      const { title, username } = safeParse(chat, found.result).data ?? {};
      return {
        ok: true,
        botUsername: (safeParse(bot, me.result).data?.username ?? '').slice(0, MAX_NAME),
        chatTitle: (title ?? username ?? '').slice(0, MAX_NAME),
      };
    },
    sendText: async ({ botToken, chatId }, text) => {
      const sent = await call(botToken, 'sendMessage', {
        chat_id: chatId,
        text,
        link_preview_options: { is_disabled: true },
      });
      return sent.ok ? { ok: true } : sent;
    },
    close: () => service.close(),
  };
}

function toFailure(status: number, said: z.output<typeof answer> | undefined): ChatServiceFailure {
  const refused = (detail: string): ChatServiceFailure => ({ ok: false, verdict: 'refused', detail });
  const wait = said?.parameters?.retry_after;
  switch (said?.error_code ?? status) {
    case 400:
      return refused('Telegram knows no such chat of this bot. Write to the bot first, or add it to the group.');
    case 401:
    case 404:
      return refused('Telegram does not know this bot token.');
    case 403:
      return refused('The bot may not write to this chat: it was blocked or removed.');
    default:
      return wait === undefined ? UNCLEAR : { ...UNCLEAR, retryAfterSeconds: wait };
  }
}
