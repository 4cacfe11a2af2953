import { z } from 'zod';
import { assertUser } from '#accounts/index.ts';
import { operation } from '#kit/index.ts';
import { getIntegration, integrationView, toIntegrationView, type IntegrationDeps } from './openrouter-integration.ts';

const input = z.object({});

export const getOpenrouter = operation<IntegrationDeps, typeof input, typeof integrationView>({
  name: 'integrations.openrouter.get',
  route: 'GET /api/user/integrations/openrouter',
  summary: 'The stored OpenRouter key: label, last four characters, limits and the last check; never the key',
  scope: 'integrations:read',
  input,
  output: integrationView,
  async run({ vault }, caller) {
    assertUser(caller);
    return toIntegrationView(await vault.database.asUser(caller.userId, (tx) => getIntegration(tx, caller)));
  },
});
