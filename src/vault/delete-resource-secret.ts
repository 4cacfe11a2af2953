import { z } from 'zod';
import { operation, Problem } from '#kit/index.ts';
import { FIELD, getOwnedPlace, type ResourceSecretDeps } from './owned-secret-place.ts';
import { dropResourceSecret } from './resource-secret.ts';

const input = z.object({ id: z.uuid() });
const output = z.object({ isSet: z.boolean() });

export const deleteResourceSecret = operation<ResourceSecretDeps, typeof input, typeof output>({
  name: 'resources.secrets.delete',
  route: `DELETE /api/resources/:id/secrets/${FIELD}`,
  summary: 'Delete the key of the upstream of a resource',
  scope: 'resources:write',
  input,
  output,
  async run(deps, caller, { id }) {
    if (!(await dropResourceSecret(deps, await getOwnedPlace(deps, caller, id)))) {
      throw new Problem('not_found', { detail: 'No such key is stored for this resource.' });
    }
    return { isSet: false };
  },
});
