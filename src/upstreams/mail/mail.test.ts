import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openMail, type MailClient } from './open-mail.ts';

let server: SMTPServer;
let mail: MailClient;
let received: { to: string[]; raw: string }[] = [];
let refusal: (Error & { responseCode?: number }) | null = null;
let port = 0;

beforeEach(async () => {
  [received, refusal] = [[], null];
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (_auth, _session, callback) => callback(new Error('canary of the server')),
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        received.push({
          to: session.envelope.rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString('utf8'),
        });
        callback(refusal);
      });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  ({ port } = server.server.address() as AddressInfo);
  mail = openMail({ smtpUrl: `smtp://127.0.0.1:${port}`, from: 'farebox@example.com' });
});
afterEach(async () => {
  mail.close();
  await new Promise<void>((resolve) => server.close(resolve));
});

const plain = { to: 'ada@example.com', subject: 'One notice', text: 'A buyer waits.', id: 'message-1' };

test('a mail is plain text to one address, and neither address nor subject adds a header or a recipient', async () => {
  expect(await mail.send(plain)).toEqual({ ok: true });
  const subject = 'x\r\nBcc: eve@example.com\r\n\r\n<b>body</b>';
  expect(await mail.send({ ...plain, subject })).toEqual({ ok: true });
  expect(received.map(({ to }) => to)).toEqual([['ada@example.com'], ['ada@example.com']]);
  const [one, other] = received.map(({ raw }) => raw);
  expect(one).toMatch(/^Content-Type: text\/plain; charset=utf-8/m);
  expect(one).toMatch(/^Message-ID: <message-1@farebox>/m);
  expect(other).not.toMatch(/^Bcc:/m);
});

test('a refusal for good is told apart from one that may pass, in our own words', async () => {
  refusal = Object.assign(new Error('canary of the server'), { responseCode: 550 });
  expect(await mail.send(plain)).toEqual({
    ok: false,
    isFinal: true,
    detail: 'The mail server refused the mail (550).',
  });
  refusal = Object.assign(new Error('canary of the server'), { responseCode: 451 });
  const later = { ok: false, isFinal: false, detail: 'The mail server does not take mails at the moment.' };
  expect(await mail.send(plain)).toEqual(later);
  const nobody = openMail({ smtpUrl: 'smtp://user:canary@127.0.0.1:9', from: 'farebox@example.com' });
  expect(await nobody.send(plain)).toEqual(later);
  nobody.close();
  const stranger = openMail({ smtpUrl: `smtp://user:canary@127.0.0.1:${port}`, from: 'farebox@example.com' });
  expect(await stranger.send(plain)).toEqual(later);
  stranger.close();
});
