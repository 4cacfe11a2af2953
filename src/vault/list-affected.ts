import { z } from 'zod';
import { assertUser } from '#accounts/index.ts';
import { operation } from '#kit/index.ts';
import { affectedResource, type IntegrationDeps } from './openrouter-integration.ts';

const input = z.object({});
const output = z.object({ items: z.array(affectedResource) });

export const listAffected = operation<IntegrationDeps, typeof input, typeof output>({
  name: 'integrations.openrouter.affected_resources',
  route: 'GET /api/user/integrations/openrouter/affected-resources',
  summary: 'The resources that deleting or switching off the OpenRouter key would pause',
  scope: 'integrations:read',
  input,
  output,
  async run(deps, caller) {
    assertUser(caller);
    return { items: await deps.listAffected(caller.userId) };
  },
});
