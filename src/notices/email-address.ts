import { randomInt, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, newId, operation, Problem, sha256Hex, type Caller } from '#kit/index.ts';
import { sendMail } from './channels/email.ts';
import type { NoticesDeps } from './notices-deps.ts';
import { takeTurn } from './take-turn.ts';

const CODE_FOR_MS = 30 * 60_000;
const MOST_GUESSES = 5;

const output = z.object({
  address: z.string(),
  isVerified: z.boolean().describe('Nothing but the code is sent to an address before its code came back'),
  isEnabled: z.boolean(),
});

interface Row {
  address: string;
  is_enabled: boolean;
  verified_at: Date | null;
  code_hash: string | null;
  code_expires_at: Date | null;
  code_attempts: number;
}

type EmailDeps = Pick<NoticesDeps, 'mail' | 'database' | 'clock' | 'limits' | 'publicUrl'>;

export const putEmail = operation({
  name: 'notices.email.put',
  route: 'PUT /api/user/notices/email',
  summary: 'Have notices sent to an address, yours unless told; a code is mailed to it, which you send back',
  scope: 'notices:write',
  input: z.object({ address: z.email().max(254).optional() }),
  output,
  problems: ['unavailable'],
  // The mail goes out before the transaction.
  prepare: async (deps: EmailDeps, caller, { address }) => {
    assertUser(caller);
    const to = address ?? caller.email;
    await takeTurn(deps.limits.codes, `account ${caller.userId}`);
    await takeTurn(deps.limits.codes, `address ${to.toLowerCase()}`);
    const code = String(randomInt(10_000_000, 100_000_000));
    const sent = await sendMail(deps, {
      id: newId(),
      ownerId: caller.userId,
      to,
      subject: `${code} is your code`,
      text: `Somebody who is signed in at ${deps.publicUrl} wants notices sent here. If that is you, send this code back within 30 minutes:\n\n${code}\n\nPOST /api/user/notices/email/confirm {"code": "${code}"}\n\nOtherwise do nothing, and nothing more comes.\n`,
    });
    if (!sent.ok) {
      throw new Problem('unavailable', { detail: `${sent.detail} Nothing was changed.` });
    }
    return { address: to, codeHash: toHash(caller.userId, code) };
  },
  run: async ({ tx, clock, prepared }: EmailDeps & InTransaction<Sent>, caller: Caller) => {
    assertUser(caller);
    const now = clock.now();
    await tx.query(
      `INSERT INTO notice_emails (owner_id, address, is_enabled, code_hash, code_expires_at, created_at, updated_at)
       VALUES ($1, $2, true, $3, $4, $5, $5)
       ON CONFLICT (owner_id) DO UPDATE SET address = excluded.address, is_enabled = true, verified_at = NULL,
         code_hash = excluded.code_hash, code_expires_at = excluded.code_expires_at, code_attempts = 0,
         updated_at = excluded.updated_at`,
      [caller.userId, prepared.address, prepared.codeHash, new Date(now + CODE_FOR_MS), new Date(now)],
    );
    return { address: prepared.address, isVerified: false, isEnabled: true };
  },
});

interface Sent {
  address: string;
  codeHash: string;
}

export const confirmEmail = operation({
  name: 'notices.email.confirm',
  route: 'POST /api/user/notices/email/confirm',
  summary: 'Send back the code that was mailed to the address',
  scope: 'notices:write',
  input: z.object({ code: z.string().regex(/^\d{8}$/, 'The code has 8 digits') }),
  output,
  problems: ['not_found', 'unprocessable'],
  run: async ({ tx, clock }: EmailDeps & InTransaction, caller: Caller, { code }) => {
    assertUser(caller);
    const { rows } = await tx.query<Row>(
      'UPDATE notice_emails SET code_attempts = code_attempts + 1 WHERE owner_id = $1 RETURNING *',
      [caller.userId],
    );
    const row = rows[0] ?? refuseMissing();
    const isOver = row.code_attempts > MOST_GUESSES || (row.code_expires_at?.getTime() ?? 0) < clock.now();
    if (isOver || row.code_hash === null || !isSame(row.code_hash, toHash(caller.userId, code))) {
      // Returned, so that the guess is counted.
      return new Problem('unprocessable', {
        detail: isOver ? 'This code can be used no more.' : 'This is not the code that was mailed.',
        next: 'Send the right code, or have another one mailed with PUT /api/user/notices/email.',
      });
    }
    await tx.query('UPDATE notice_emails SET verified_at = $2, updated_at = $2, code_hash = NULL WHERE owner_id = $1', [
      caller.userId,
      new Date(clock.now()),
    ]);
    return { address: row.address, isVerified: true, isEnabled: row.is_enabled };
  },
});

export const getEmail = operation({
  name: 'notices.email.get',
  route: 'GET /api/user/notices/email',
  summary: 'The address that notices are sent to',
  scope: 'notices:read',
  input: z.object({}),
  output,
  problems: ['not_found'],
  run: async ({ tx }: InTransaction, caller: Caller) => {
    assertUser(caller);
    const { rows } = await tx.query<Row>('SELECT * FROM notice_emails WHERE owner_id = $1', [caller.userId]);
    const { address, verified_at: verifiedAt, is_enabled: isEnabled } = rows[0] ?? refuseMissing();
    return { address, isVerified: verifiedAt !== null, isEnabled };
  },
});

export const updateEmail = operation({
  name: 'notices.email.update',
  route: 'PATCH /api/user/notices/email',
  summary: 'Switch the mails on or off',
  scope: 'notices:write',
  input: z.object({ isEnabled: z.boolean() }),
  output,
  problems: ['not_found'],
  run: async ({ tx, clock }: EmailDeps & InTransaction, caller: Caller, { isEnabled }) => {
    assertUser(caller);
    const { rows } = await tx.query<Row>(
      'UPDATE notice_emails SET is_enabled = $2, updated_at = $3 WHERE owner_id = $1 RETURNING *',
      [caller.userId, isEnabled, new Date(clock.now())],
    );
    const row = rows[0] ?? refuseMissing();
    return { address: row.address, isVerified: row.verified_at !== null, isEnabled };
  },
});

export const deleteEmail = operation({
  name: 'notices.email.delete',
  route: 'DELETE /api/user/notices/email',
  summary: 'Forget the address that notices are sent to',
  scope: 'notices:write',
  input: z.object({}),
  output: z.object({ deleted: z.literal(true) }),
  problems: ['not_found'],
  run: async ({ tx }: InTransaction, caller: Caller) => {
    assertUser(caller);
    const { rowCount } = await tx.query('DELETE FROM notice_emails WHERE owner_id = $1', [caller.userId]);
    return rowCount === 0 ? refuseMissing() : { deleted: true as const };
  },
});

function refuseMissing(): never {
  throw new Problem('not_found', {
    detail: 'No address for notices is stored.',
    next: 'Store one with PUT /api/user/notices/email.',
  });
}

function toHash(ownerId: string, code: string): string {
  return sha256Hex(`${ownerId} ${code}`);
}

function isSame(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
