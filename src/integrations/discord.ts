import { z } from 'zod';
import type { IntegrationService } from './integration-service.ts';

const form =
  /^https:\/\/(?:(?:canary|ptb)\.)?discord(?:app)?\.com\/api(?:\/v\d{1,2})?\/webhooks\/(\d{5,25})\/([\w-]{8,200})$/;

const given = z.object({
  webhookUrl: z
    .string()
    .trim()
    .regex(form, 'Expected the URL of a webhook: https://discord.com/api/webhooks/<number>/<token>.'),
});

const text = z.string().max(200);
const shown = z.object({ webhookId: text, channelId: text });

/** Whoever has the URL may write to the channel, so its last part is sealed and the rest is shown. */
export const discord: IntegrationService<z.output<typeof given>, z.output<typeof shown>, 'discord'> = {
  name: 'discord',
  provider: 'Discord',
  credential: 'webhook',
  remedy:
    'Make one in the settings of a channel (Integrations, Webhooks) and send {"webhookUrl": "https://discord.com/api/webhooks/…"}.',
  table: 'user_discord_integrations',
  given,
  shown,
  toKey: (sent) => toDiscordWebhook(sent).token,
  toGiven: (token, { webhookId }) => ({ webhookUrl: `https://discord.com/api/webhooks/${webhookId}/${token}` }),
  check: async ({ discord: client }, sent) => {
    const webhook = toDiscordWebhook(sent);
    const found = await client.findWebhook(webhook);
    return found.ok
      ? { ok: true, label: found.name, shown: { webhookId: webhook.webhookId, channelId: found.channelId } }
      : { ok: false, verdict: found.verdict, detail: found.detail };
  },
};

/** The two parts of the URL that tell webhooks apart; where it is called is configuration. */
export function toDiscordWebhook({ webhookUrl }: { webhookUrl: string }): { webhookId: string; token: string } {
  const [, webhookId = '', token = ''] = form.exec(webhookUrl) ?? [];
  return { webhookId, token };
}
