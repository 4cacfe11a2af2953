import type { Log } from '#kit/index.ts';
import { openChatCompletions } from './chat-completions/open-chat-completions.ts';
import { openDiscord } from './discord/open-discord.ts';
import { openOpenRouter } from './openrouter/open-openrouter.ts';
import { openOutbound } from './outbound/open-outbound.ts';
import { openTelegram } from './telegram/open-telegram.ts';

interface UpstreamsOptions {
  openRouterUrl: string;
  publicUrl: string;
  /** Called although they are not public: servers of the sandbox, and those that the operator names. */
  allowedOrigins: readonly string[];
  /** The same for files that buyers name: none that the operator names for creators. */
  fileOrigins: readonly string[];
  /** The same for webhooks that accounts name. */
  webhookOrigins: readonly string[];
  telegramUrl: string;
  discordUrl: string;
  /** The same for callbacks that buyers ask for. */
  callbackOrigins: readonly string[];
  log: Log;
}

export type Upstreams = ReturnType<typeof openUpstreams>;

/** Every client that a server has, by the name under which kinds of resource are given it. `stack` closes them. */
export function openUpstreams(options: UpstreamsOptions, stack: AsyncDisposableStack) {
  const { openRouterUrl, publicUrl, allowedOrigins, fileOrigins, log } = options;
  const outbound = openOutbound({ allowedOrigins, allowedBy: 'UPSTREAM_ORIGINS' });
  stack.defer(() => outbound.close());
  const files = openOutbound({ allowedOrigins: fileOrigins });
  stack.defer(() => files.close());
  const webhooks = openOutbound({ allowedOrigins: options.webhookOrigins, allowedBy: 'WEBHOOK_ORIGINS' });
  stack.defer(() => webhooks.close());
  const callbacks = openOutbound({ allowedOrigins: options.callbackOrigins, allowedBy: 'CALLBACK_ORIGINS' });
  stack.defer(() => callbacks.close());
  const telegram = openTelegram({ baseUrl: options.telegramUrl });
  stack.defer(() => telegram.close());
  const discord = openDiscord({ baseUrl: options.discordUrl });
  stack.defer(() => discord.close());
  const openRouter = openOpenRouter({ baseUrl: openRouterUrl, publicUrl, title: 'Farebox', log, outbound });
  stack.defer(() => openRouter.close());
  const chatCompletions = openChatCompletions({ outbound, log });
  return {
    openRouter,
    openRouterMedia: openRouter.media,
    outbound,
    files,
    webhooks,
    callbacks,
    telegram,
    discord,
    chatCompletions,
  };
}
