import { expect, test } from 'vitest';
import { describeIntegration } from '../../tests/support/integration-contract.ts';
import { migrateToyService, openToyService } from '../../tests/support/toy-integration.ts';
import { getService } from './open-key.ts';
import { discord } from './discord.ts';
import { openRouter } from './openrouter.ts';
import { telegram } from './telegram.ts';
import { noChats } from '../../tests/support/no-chats.ts';

const snapshot = {
  limit: '10',
  limitRemaining: '7.5',
  limitReset: null,
  usage: '2.5',
  usageMonthly: '1',
  isFreeTier: false,
  expiresAt: null,
};

const askNobody = () => Promise.reject(new Error('This service asks nobody else.'));

describeIntegration('openrouter', (ask) => ({
  service: openRouter,
  clients: {
    ...noChats,
    openRouter: {
      getKey: async () => {
        const answer = await ask();
        return answer.ok
          ? { ok: true, snapshot: { ...snapshot, label: answer.label } }
          : {
              ok: false,
              reason: answer.verdict === 'unclear' ? 'unreachable' : 'invalid_key',
              detail: answer.detail,
            };
      },
      getCredits: async () => ({ outcome: 'known', balanceUsd: '12.5' }),
    },
  },
  given: (apiKey) => ({ apiKey }),
  good: (repeat = 'my key') => ({ ok: true, label: repeat, shown: {} }),
  shown: { ...snapshot, creditsUsd: '12.5' },
  malformed: ['short', 'with space inside', 'k\u00e9y-with-accents', 'x'.repeat(513), 'line\nbreak-in-key'].map(
    (apiKey) => ({ apiKey }),
  ),
}));

const noOpenRouter = { openRouter: { getKey: askNobody, getCredits: askNobody } };
const notReached = { ok: false, verdict: 'unclear', detail: 'Nothing of this kind is played.' } as const;

describeIntegration('telegram', (ask) => ({
  service: telegram,
  clients: {
    ...noChats,
    ...noOpenRouter,
    telegram: {
      findChat: async () => {
        const answer = await ask();
        return answer.ok
          ? { ok: true, botUsername: answer.label ?? '', chatTitle: 'Alerts' }
          : { ...notReached, verdict: answer.verdict, detail: answer.detail };
      },
    },
  },
  given: (botToken) => ({ botToken, chatId: '-1001234' }),
  good: (repeat = 'farebot') => ({ ok: true, label: repeat, shown: {} }),
  shown: { chatId: '-1001234', chatTitle: 'Alerts' },
  malformed: [
    { botToken: 'short', chatId: '1' },
    { botToken: '123456:../../other/path', chatId: '1' },
    { botToken: '123456:long-enough-token', chatId: 'no chat' },
  ],
}));

describeIntegration('discord', (ask) => ({
  service: discord,
  clients: {
    ...noChats,
    ...noOpenRouter,
    discord: {
      findWebhook: async () => {
        const answer = await ask();
        return answer.ok
          ? { ok: true, name: answer.label ?? '', channelId: '77' }
          : { ...notReached, verdict: answer.verdict, detail: answer.detail };
      },
    },
  },
  given: (token) => ({ webhookUrl: `https://discord.com/api/webhooks/123456789/${token}` }),
  good: (repeat = 'alerts') => ({ ok: true, label: repeat, shown: {} }),
  shown: { webhookId: '123456789', channelId: '77' },
  malformed: [
    'https://example.com/api/webhooks/123456789/long-enough-token',
    'https://discord.com.example.com/api/webhooks/123456789/long-enough-token',
    'http://discord.com/api/webhooks/123456789/long-enough-token',
    'https://discord.com/api/webhooks/123456789/../other-token',
  ].map((webhookUrl) => ({ webhookUrl })),
}));

describeIntegration(
  'toy',
  (ask) => ({
    service: openToyService(ask),
    clients: { ...noChats, openRouter: { getKey: askNobody, getCredits: askNobody } },
    given: (token) => ({ token, room: 'lobby' }),
    good: (room = 'lobby') => ({ ok: true, label: 'bot', shown: { room, members: 3, secret: 'is not listed' } }),
    shown: { room: 'lobby', members: 3 },
    malformed: [
      { token: 'short', room: 'lobby' },
      { token: 'long-enough-token' },
      { token: 'long-enough-token', room: '' },
    ],
  }),
  migrateToyService,
);

test('a key of a service that does not exist is a mistake of the program, not a missing key', async () => {
  expect(() => getService({ services: [openRouter] }, 'nobody')).toThrow('no integration called "nobody"');
});
