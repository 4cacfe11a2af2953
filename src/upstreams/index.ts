/**
 * Clients for what executes (OpenRouter, any upstream that speaks chat completions), for object stores that speak the S3
 * API, for what tells people (mail, Telegram, Discord), and the safe way to hosts that users name. Invariants: an upstream's failure is a value that says how it failed;
 * neither keys nor prompts stand in results, problems or log lines; costs keep the text they had on the wire; a user's URL
 * is called only over https at a public address that is checked when connecting; redirects are followed for files alone,
 * each judged as the first URL was.
 */
export type {
  ChatFacts,
  ChatCall,
  ChatFailure,
  ChatMessage,
  ContentPart,
  ChatRequest,
  ChatResult,
  ChatUsage,
  FailureKind,
  ProviderChoice,
  ResponseFormat,
  Upstream,
} from './chat-completions/chat.ts';
export type { ChatCompletions } from './chat-completions/open-chat-completions.ts';
export { noFacts } from './openrouter/media.ts';
export type {
  Capability,
  FrameType,
  ImageEndpoint,
  ImagePrice,
  ImageProviders,
  MediaFacts,
  MediaResult,
  MediaUpstream,
  SentPicture,
  VideoJob,
  VideoModel,
} from './openrouter/media.ts';
export type { ChatServiceFailure } from './chat-service.ts';
export type { DiscordClient } from './discord/open-discord.ts';
export { openMail } from './mail/open-mail.ts';
export type { MailClient, MailSent } from './mail/open-mail.ts';
export type { GenerationCost } from './openrouter/get-generation-cost.ts';
export { openUpstreams } from './open-upstreams.ts';
export type { Upstreams } from './open-upstreams.ts';
export { openOpenRouter } from './openrouter/open-openrouter.ts';
export type { OpenRouterClient } from './openrouter/open-openrouter.ts';
export { fetchFile } from './outbound/fetch-file.ts';
export { findUrlFault } from './outbound/find-url-fault.ts';
export { postMessage } from './outbound/post-message.ts';
export type { Posted } from './outbound/post-message.ts';
export type { Outbound } from './outbound/open-outbound.ts';
export { openS3 } from './s3/open-s3.ts';
export type { S3, S3Options } from './s3/open-s3.ts';
export type { TelegramClient } from './telegram/open-telegram.ts';
export type { Timers } from './timers.ts';
