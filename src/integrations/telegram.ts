import { z } from 'zod';
import type { IntegrationService } from './integration-service.ts';

const given = z.object({
  botToken: z
    .string()
    .trim()
    .regex(/^[\w:-]{8,200}$/, 'A bot token is 8 to 200 letters, digits, ":", "_" and "-".'),
  chatId: z
    .string()
    .trim()
    .regex(/^(-?\d{1,20}|@\w{1,64})$/, 'A chat is its number, or the @name of a public one.'),
});

const text = z.string().max(200);
const shown = z.object({ chatId: text, chatTitle: text });

/** A bot of the account's own, and the chat in which it tells notices. */
export const telegram: IntegrationService<z.output<typeof given>, z.output<typeof shown>, 'telegram'> = {
  name: 'telegram',
  provider: 'Telegram',
  credential: 'bot token',
  remedy: 'Make a bot with @BotFather, write to it, and send {"botToken": "…", "chatId": "…"}.',
  table: 'user_telegram_integrations',
  given,
  shown,
  toKey: ({ botToken }) => botToken,
  toGiven: (botToken, { chatId }) => ({ botToken, chatId }),
  check: async ({ telegram: client }, place) => {
    const found = await client.findChat(place);
    return found.ok
      ? { ok: true, label: `@${found.botUsername}`, shown: { chatId: place.chatId, chatTitle: found.chatTitle } }
      : { ok: false, verdict: found.verdict, detail: found.detail };
  },
};
