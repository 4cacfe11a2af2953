import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import { forgetSecret, storeSecret } from '#vault/index.ts';
import { getUser } from './own-resource.ts';
import { assertOwn, SECRET_FIELD, toSecretContext, type ResourceSecretDeps } from './resource-secret.ts';

const input = z.object({
  id: z.uuid(),
  value: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]{1,4096}$/, 'A key is 1 to 4096 printable characters without spaces.'),
});

export const putResourceSecret = operation({
  name: 'resources.secrets.put',
  route: `PUT /api/resources/:id/secrets/${SECRET_FIELD}`,
  summary: 'Store the key of the upstream of a resource, encrypted; it can be replaced or deleted, never read',
  scope: 'resources:write',
  input,
  output: z.object({ isSet: z.boolean() }),
  problems: ['not_found'],
  run: async ({ tx, afterCommit, vault }: ResourceSecretDeps & InTransaction, caller: Caller, { id, value }) => {
    const context = toSecretContext({ ownerId: getUser(caller).userId, resourceId: id });
    await assertOwn(tx, id);
    // What was paused because the upstream refused the old key, or had none, is asked again at once.
    await tx.query(
      `UPDATE x402_resources SET paused_by = 'readiness', looks = 0, next_look_at = updated_at
       WHERE id = $1 AND state = 'paused' AND paused_by IN ('readiness', 'fault')`,
      [id],
    );
    await storeSecret(vault, tx, { context, plaintext: value });
    afterCommit(() => forgetSecret(vault, context));
    return { isSet: true };
  },
});
