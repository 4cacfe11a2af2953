import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, newId, operation, Problem, toWebhookSecret, type Caller } from '#kit/index.ts';
import { postSigned, toSecretPlace } from './channels/webhook.ts';
import type { NoticesDeps } from './notices-deps.ts';
import { takeTurn } from './take-turn.ts';

const KEY_BYTES = 32;
/** What a server may answer to a signature that it cannot check yet. */
const MAY_NOT_KNOW_SECRET = new Set([401, 403]);

const view = z.object({ url: z.string(), lastFour: z.string(), isEnabled: z.boolean() });

interface Row {
  url: string;
  last_four: string;
  is_enabled: boolean;
}

type WebhookDeps = Pick<NoticesDeps, 'vault' | 'webhooks' | 'clock' | 'limits'>;

export const putWebhook = operation({
  name: 'notices.webhook.put',
  route: 'PUT /api/user/notices/webhook',
  summary: 'Have notices posted to your server, signed as Standard Webhooks says; the new secret is shown this once',
  scope: 'notices:write',
  input: z.object({ url: z.string().max(2_048).describe('https, at a public host') }),
  output: view.extend({ secret: z.string().describe('whsec_ and base64; shown this once') }),
  problems: ['unprocessable'],
  // The server is asked before the transaction.
  prepare: async (deps: WebhookDeps, caller, { url }) => {
    assertUser(caller);
    await takeTurn(deps.limits.tests, caller.userId);
    const secret = toWebhookSecret(randomBytes(KEY_BYTES));
    const posted = await postSigned(deps, { url, secret }, { id: newId(), notices: [], isTest: true });
    if (!posted.ok && posted.isForbidden) {
      throw new Problem('invalid_input', { detail: posted.reason });
    }
    const isTaken = posted.ok && (posted.status < 300 || MAY_NOT_KNOW_SECRET.has(posted.status));
    if (!isTaken) {
      const detail = posted.ok ? `It answered a test with status ${posted.status}.` : posted.reason;
      throw new Problem('unprocessable', { detail: `${detail} Nothing was changed.` });
    }
    return { secret };
  },
  run: async (deps: WebhookDeps & InTransaction<{ secret: string }>, caller: Caller, { url }) => {
    assertUser(caller);
    const { tx, vault, clock, prepared } = deps;
    const sealed = await vault.seal(tx, toSecretPlace(caller.userId), prepared.secret);
    const { rows } = await tx.query<Row>(
      `INSERT INTO notice_webhooks (owner_id, url, sealed_secret, last_four, is_enabled, created_at, updated_at)
       VALUES ($1, $2, $3, $4, true, $5, $5)
       ON CONFLICT (owner_id) DO UPDATE SET url = excluded.url, sealed_secret = excluded.sealed_secret,
         last_four = excluded.last_four, is_enabled = true, updated_at = excluded.updated_at
       RETURNING url, last_four, is_enabled`,
      [caller.userId, url, sealed, prepared.secret.slice(-4), new Date(clock.now())],
    );
    return { ...toView(rows[0] ?? refuseMissing()), secret: prepared.secret };
  },
});

export const getWebhook = operation({
  name: 'notices.webhook.get',
  route: 'GET /api/user/notices/webhook',
  summary: 'Where notices are posted to; never the secret',
  scope: 'notices:read',
  input: z.object({}),
  output: view,
  problems: ['not_found'],
  run: async ({ tx }: InTransaction, caller: Caller) => {
    assertUser(caller);
    const { rows } = await tx.query<Row>('SELECT url, last_four, is_enabled FROM notice_webhooks WHERE owner_id = $1', [
      caller.userId,
    ]);
    return toView(rows[0] ?? refuseMissing());
  },
});

export const updateWebhook = operation({
  name: 'notices.webhook.update',
  route: 'PATCH /api/user/notices/webhook',
  summary: 'Switch the webhook on or off',
  scope: 'notices:write',
  input: z.object({ isEnabled: z.boolean() }),
  output: view,
  problems: ['not_found'],
  run: async ({ tx, clock }: WebhookDeps & InTransaction, caller: Caller, { isEnabled }) => {
    assertUser(caller);
    const { rows } = await tx.query<Row>(
      `UPDATE notice_webhooks SET is_enabled = $2, updated_at = $3 WHERE owner_id = $1
       RETURNING url, last_four, is_enabled`,
      [caller.userId, isEnabled, new Date(clock.now())],
    );
    return toView(rows[0] ?? refuseMissing());
  },
});

export const deleteWebhook = operation({
  name: 'notices.webhook.delete',
  route: 'DELETE /api/user/notices/webhook',
  summary: 'Forget the webhook and its secret',
  scope: 'notices:write',
  input: z.object({}),
  output: z.object({ deleted: z.literal(true) }),
  problems: ['not_found'],
  run: async ({ tx }: InTransaction, caller: Caller) => {
    assertUser(caller);
    const { rowCount } = await tx.query('DELETE FROM notice_webhooks WHERE owner_id = $1', [caller.userId]);
    return rowCount === 0 ? refuseMissing() : { deleted: true as const };
  },
});

function toView({ url, last_four: lastFour, is_enabled: isEnabled }: Row): z.output<typeof view> {
  return { url, lastFour, isEnabled };
}

function refuseMissing(): never {
  throw new Problem('not_found', {
    detail: 'No webhook for notices is stored.',
    next: 'Store one with PUT /api/user/notices/webhook.',
  });
}
