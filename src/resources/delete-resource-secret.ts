import { z } from 'zod';
import { operation, Problem, type Caller } from '#kit/index.ts';
import { dropSecret, forgetSecret } from '#vault/index.ts';
import { getUser } from './own-resource.ts';
import { assertOwn, SECRET_FIELD, toSecretContext, type ResourceSecretDeps } from './resource-secret.ts';

export const deleteResourceSecret = operation({
  name: 'resources.secrets.delete',
  route: `DELETE /api/resources/:id/secrets/${SECRET_FIELD}`,
  summary: 'Delete the key of the upstream of a resource',
  scope: 'resources:write',
  input: z.object({ id: z.uuid() }),
  output: z.object({ isSet: z.boolean() }),
  run: async ({ database, vault }: ResourceSecretDeps, caller: Caller, { id }) => {
    const ownerId = getUser(caller).userId;
    const context = toSecretContext({ ownerId, resourceId: id });
    await database.asUser(ownerId, async (tx) => {
      await assertOwn(tx, id);
      if (!(await dropSecret(tx, context))) {
        throw new Problem('not_found', { detail: 'No such key is stored for this resource.' });
      }
    });
    forgetSecret(vault, context);
    return { isSet: false };
  },
});
