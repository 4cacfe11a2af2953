import { z } from 'zod';
import { operation } from '#kit/index.ts';
import { FIELD, getOwnedPlace, type ResourceSecretDeps } from './owned-secret-place.ts';
import { sealResourceSecret } from './resource-secret.ts';

const input = z.object({
  id: z.uuid(),
  value: z
    .string()
    .trim()
    .regex(/^[\x21-\x7e]{1,4096}$/, 'A key is 1 to 4096 printable characters without spaces.'),
});
const output = z.object({ isSet: z.boolean() });

export const putResourceSecret = operation<ResourceSecretDeps, typeof input, typeof output>({
  name: 'resources.secrets.put',
  route: `PUT /api/resources/:id/secrets/${FIELD}`,
  summary: 'Store the key of the upstream of a resource, encrypted; it can be replaced or deleted, never read',
  scope: 'resources:write',
  input,
  output,
  async run(deps, caller, { id, value }) {
    await sealResourceSecret(deps, await getOwnedPlace(deps, caller, id), value);
    return { isSet: true };
  },
});
