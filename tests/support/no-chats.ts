import type { IntegrationDeps } from '#integrations/index.ts';

/** For what asks no chat service. */
export const noChats: Pick<IntegrationDeps['clients'], 'telegram' | 'discord'> = {
  telegram: { findChat: () => Promise.reject(new Error('Telegram is not asked here.')) },
  discord: { findWebhook: () => Promise.reject(new Error('Discord is not asked here.')) },
};
