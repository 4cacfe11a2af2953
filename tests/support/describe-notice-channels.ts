import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { openRouterPath, type NoticeWorld } from './notice-world.ts';
import { status } from './scripted-upstream.ts';
import type { Creator } from './start-app.ts';

/** By what accounts are told, through the whole app. */
export function describeNoticeChannels({ app, servers, simulator, control, server, inbox, told }: NoticeWorld): void {
  describe('the channels of notices', () => {
    test('every channel is connected, tested with one call and told what happens; a mail goes nowhere before its code came back', async () => {
      const dora = await app.current.makeCreator('dora', { openRouterKey: simulator().keys.ownProviderKey });
      const stranger = await app.current.makeCreator('stranger', { openRouterKey: null });
      const [telegram, discord, receiver] = [server(0), server(1), server(2)];
      telegram.script((response, { path }) => {
        const result = path.endsWith('getMe') ? { username: 'farebot' } : { title: 'Alerts' };
        response.end(JSON.stringify({ ok: true, result }));
      });
      discord.script(status(200, { name: 'alerts', channel_id: '77' }));
      receiver.script(status(200, {}));
      const tryOut = async (channel: string) =>
        (await dora.call('POST', `/api/user/notices/channels/${channel}/test`, {})).body;
      const place = '/api/user/notices';
      for (const channel of ['email', 'webhook', 'telegram', 'discord']) {
        expect(await tryOut(channel)).toMatchObject({
          ok: false,
          problem: expect.stringMatching(/Connect it with PUT/),
        });
      }

      const botToken = '123456:canary-token-of-the-bot';
      const chat = await dora.call('PUT', '/api/user/integrations/telegram', { botToken, chatId: '-100777' });
      expect(chat).toMatchObject({ status: 200, body: { label: '@farebot', chatTitle: 'Alerts', isValid: true } });
      const webhookUrl = 'https://discord.com/api/webhooks/987654321/canary-token-of-the-webhook';
      expect(await dora.call('PUT', '/api/user/integrations/discord', { webhookUrl })).toMatchObject({ status: 200 });
      const hook = await dora.call('PUT', `${place}/webhook`, { url: `${receiver.url}/hook` });
      const secret = String(hook.body['secret']);
      expect(hook).toMatchObject({ status: 200, body: { isEnabled: true, lastFour: secret.slice(-4) } });
      expect((await dora.call('GET', `${place}/webhook`)).body).not.toHaveProperty('secret');
      expect(await dora.call('PUT', `${place}/email`, {})).toMatchObject({ body: { isVerified: false } });
      expect(await tryOut('email')).toMatchObject({ ok: false });
      const mails = async (of: Creator) =>
        (await of.call('GET', '/api/sandbox/mails')).body['items'] as { to: string; subject: string; text: string }[];
      const [mailed] = await mails(dora);
      const code = /\d{8}/.exec(mailed?.text ?? '')?.[0] ?? '';
      const wrong = code === '12345678' ? '87654321' : '12345678';
      expect(await dora.call('POST', `${place}/email/confirm`, { code: wrong })).toMatchObject({ status: 422 });
      expect(await dora.call('POST', `${place}/email/confirm`, { code })).toMatchObject({ body: { isVerified: true } });
      const email = { address: 'dora@example.com', isVerified: true, isEnabled: true };
      expect((await dora.call('GET', `${place}/email`)).body).toEqual(email);
      for (const channel of ['email', 'webhook', 'telegram', 'discord']) {
        expect(await tryOut(channel)).toEqual({ ok: true, problem: null });
      }

      const prefer = { items: [{ event: 'key_refused', discord: false }] };
      const preferred = await dora.call('PUT', `${place}/preferences`, prefer);
      expect(preferred.body['items']).toContainEqual({
        event: 'key_refused',
        inbox: true,
        email: true,
        webhook: true,
        telegram: true,
        discord: false,
      });
      expect(preferred.body['items']).toContainEqual({
        event: 'calls_owed',
        inbox: true,
        email: true,
        webhook: true,
        telegram: true,
        discord: true,
      });

      const before = servers.map(({ seen }) => seen.length);
      control().disableKey(simulator().keys.ownProviderKey);
      await dora.call('POST', `${openRouterPath}/test`);
      control().disableKey(simulator().keys.ownProviderKey, false);
      await app.current.notices.send();
      const seen = (index: number) => server(index).seen.slice(before[index]);
      await expect.poll(() => seen(2)).toHaveLength(1);
      await expect.poll(() => seen(0)).toHaveLength(1);
      await expect.poll(async () => (await mails(dora)).length).toBe(3);
      const [posted] = seen(2);
      const payload = new Webhook(secret).verify(posted?.body ?? '', posted?.headers as Record<string, string>);
      expect(payload).toMatchObject({ type: 'notices', notices: [{ event: 'key_refused', subject: 'openrouter' }] });
      expect(JSON.parse(seen(0)[0]?.body ?? '')).toMatchObject({
        chat_id: '-100777',
        text: expect.stringMatching(/^OpenRouter refuses what you connected\n/),
      });
      expect((await mails(dora))[0]).toMatchObject({
        to: 'dora@example.com',
        subject: 'OpenRouter refuses what you connected',
      });
      expect(seen(1)).toEqual([]);

      await dora.call('POST', `${openRouterPath}/test`);
      const again = { items: [{ event: 'key_refused', discord: true, telegram: false }] };
      await dora.call('PUT', `${place}/preferences`, again);
      control().disableKey(simulator().keys.ownProviderKey);
      await dora.call('POST', `${openRouterPath}/test`);
      control().disableKey(simulator().keys.ownProviderKey, false);
      await app.current.notices.send();
      await expect.poll(() => seen(1)).toHaveLength(1);
      const [written] = seen(1);
      expect([written?.method, written?.path]).toEqual([
        'POST',
        '/webhooks/987654321/canary-token-of-the-webhook?wait=true',
      ]);
      expect(JSON.parse(written?.body ?? '')).toMatchObject({
        content: expect.stringMatching(/OpenRouter refuses what you connected/),
        allowed_mentions: { parse: [] },
      });
      expect(seen(0)).toHaveLength(1);
      expect(await mails(stranger)).toEqual([]);
      expect(app.current.logged.join('\n')).not.toMatch(/canary-token/);
    });

    test('a channel that does not work any more is told in the inbox and to its owner, and never with a secret', async () => {
      const emma = await app.current.makeCreator('emma', { openRouterKey: null });
      const receiver = server(2);
      receiver.script(status(200, {}));
      await emma.call('PUT', '/api/user/notices/webhook', { url: `${receiver.url}/gone` });
      receiver.script(status(410, { hint: 'canary of their own words' }));
      await emma.call('PUT', openRouterPath, { apiKey: simulator().keys.limited });
      control().disableKey(simulator().keys.limited);
      await emma.call('POST', `${openRouterPath}/test`);
      control().disableKey(simulator().keys.limited, false);
      await app.current.notices.send();
      await expect.poll(() => told(emma, 'channel_failed')).toHaveLength(1);
      expect(await told(emma, 'channel_failed')).toMatchObject([{ body: expect.stringMatching(/status 410/) }]);
      const { body: channels } = await emma.call('GET', '/api/user/notices/channels');
      expect(channels['items']).toMatchObject([
        { channel: 'email', isConnected: false },
        {
          channel: 'webhook',
          isConnected: true,
          lastProblem: 'Your server answered with status 410.',
          lastSentAt: null,
        },
        { channel: 'telegram', isConnected: false },
        { channel: 'discord', isConnected: false },
      ]);
      expect(JSON.stringify(await inbox(emma))).not.toContain('canary');
    });

    test('a webhook at an address that is not public is refused before anything is sent', async () => {
      const hosts = [
        '127.0.0.1',
        '10.0.0.8',
        '169.254.169.254',
        '[::1]',
        '[fd00::1]',
        'localhost',
        'db.internal',
        '0x7f.1',
      ];
      const urls = [
        ...hosts.map((host) => `https://${host}/hook`),
        'http://example.com/hook',
        'https://user:pass@example.com/hook',
        'https://example.com:22/hook',
        `${server(0).url}/hook`,
        'file:///etc/passwd',
        'no url',
      ];
      const gus = await app.current.makeCreator('gus', { openRouterKey: null });
      const before = servers.map(({ seen }) => seen.length);
      const answers = await Promise.all(urls.map((url) => gus.call('PUT', '/api/user/notices/webhook', { url })));
      expect(answers.map(({ body: { code } }) => code)).toEqual(urls.map(() => 'invalid_input'));
      expect(answers[0]?.body['detail']).toMatch(/public internet.*WEBHOOK_ORIGINS/);
      expect(servers.map(({ seen }) => seen.length)).toEqual(before);
    });

    test('an inbox is its owner’s alone, is read in pages, and remembers what was read', async () => {
      const finn = await app.current.makeCreator('finn', { openRouterKey: simulator().keys.limited });
      const hal = await app.current.makeCreator('hal', { openRouterKey: null });
      const key = simulator().keys.limited;
      for (let time = 0; time < 3; time += 1) {
        control().disableKey(key);
        await finn.call('POST', `${openRouterPath}/test`);
        control().disableKey(key, false);
        await finn.call('POST', `${openRouterPath}/test`);
      }
      const [newest, middle, oldest] = await inbox(finn);
      expect((await inbox(finn)).map(({ isRead }) => isRead)).toEqual([false, false, false]);
      const { body: page } = await finn.call('GET', '/api/user/notices?limit=2');
      expect(page).toMatchObject({ items: [{ id: newest?.id }, { id: middle?.id }], unread: 3 });
      const { body: next } = await finn.call('GET', `/api/user/notices?limit=2&cursor=${String(page['nextCursor'])}`);
      expect(next).toMatchObject({ items: [{ id: oldest?.id }], nextCursor: null });
      const mark = (of: Creator, chosen: object) => of.call('POST', '/api/user/notices/read', chosen);
      expect((await mark(hal, { ids: [newest?.id] })).body).toMatchObject({ marked: 0 });
      expect((await mark(finn, { upTo: middle?.id })).body).toEqual({ marked: 2, unread: 1 });
      expect((await inbox(finn, '&unread=true')).map(({ id }) => id)).toEqual([newest?.id]);
      expect((await mark(finn, { ids: [newest?.id] })).body).toEqual({ marked: 1, unread: 0 });
      await finn.call('PUT', '/api/user/notices/preferences', { items: [{ event: 'key_refused', inbox: false }] });
      expect(await inbox(finn)).toEqual([]);
      expect((await mark(finn, {})).status).toBe(400);
    });
  });
}
