import type { Channel, ChannelName } from '../channel.ts';
import { discord, telegram } from './chats.ts';
import { email } from './email.ts';
import { webhook } from './webhook.ts';

export const channels: Readonly<Record<ChannelName, Channel>> = { email, webhook, telegram, discord };
