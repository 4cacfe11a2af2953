import { createTransport } from 'nodemailer';

export interface Mail {
  /** Of the envelope; one address. */
  to: string;
  subject: string;
  text: string;
  /** The same mail sent again has the same. */
  id: string;
}

/** Why a mail was not taken. `isFinal`: the mail server refuses it for good. */
export type MailSent = { ok: true } | { ok: false; isFinal: boolean; detail: string };

export interface MailClient {
  /** As text/plain. Never rejects; no failure tells the server's words, name or password. */
  send(mail: Mail): Promise<MailSent>;
  close(): void;
}

interface MailOptions {
  /** `smtp://` or `smtps://`, with user and password where they are needed. */
  smtpUrl: string;
  from: string;
}

const TIMEOUT_MS = 15_000;

export function openMail({ smtpUrl, from }: MailOptions): MailClient {
  const transport = createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: 4,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    // A text is a text, never the name of a file or page to be read.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    send: async ({ to, subject, text, id }) => {
      try {
        await transport.sendMail({
          from,
          to: { name: '', address: to },
          subject,
          text,
          messageId: `<${id}@farebox>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
        return { ok: true };
      } catch (error) {
        const { responseCode, code } = error as { responseCode?: unknown; code?: unknown };
        // A login that is refused is of this server, and says nothing of the mail.
        const isOfMail = code !== 'EAUTH' && typeof responseCode === 'number';
        const isFinal = isOfMail && responseCode >= 500 && responseCode < 600;
        const detail = isFinal
          ? `The mail server refused the mail (${responseCode}).`
          : 'The mail server does not take mails at the moment.';
        return { ok: false, isFinal, detail };
      }
    },
    close: () => transport.close(),
  };
}
