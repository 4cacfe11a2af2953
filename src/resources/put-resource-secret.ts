import { z } from 'zod';
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
  run: async ({ database, vault }: ResourceSecretDeps, caller: Caller, { id, value }) => {
    const ownerId = getUser(caller).userId;
    const context = toSecretContext({ ownerId, resourceId: id });
    await database.asUser(ownerId, async (tx) => {
      await assertOwn(tx, id);
      await storeSecret(vault, tx, { context, plaintext: value });
    });
    forgetSecret(vault, context);
    return { isSet: true };
  },
});
