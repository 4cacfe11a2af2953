import { expect, test } from 'vitest';
import { describeIntegration } from '../../tests/support/integration-contract.ts';
import { migrateToyService, openToyService } from '../../tests/support/toy-integration.ts';
import { getService } from './open-key.ts';
import { openRouter } from './openrouter.ts';

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

describeIntegration(
  'toy',
  (ask) => ({
    service: openToyService(ask),
    clients: { openRouter: { getKey: askNobody, getCredits: askNobody } },
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
