import { z } from 'zod';
import { assertUser } from '#accounts/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import type { IntegrationService } from './integration-service.ts';
import { getIntegration as getRow, toView, toViewSchema, type IntegrationDeps } from './integration.ts';

export function getIntegration<Given extends object, Shown extends object>(service: IntegrationService<Given, Shown>) {
  return operation({
    name: `integrations.${service.name}.get`,
    route: `GET /api/user/integrations/${service.name}`,
    summary: `Your stored ${service.provider} ${service.credential}: label, last four characters and the last check; never the ${service.credential}`,
    scope: 'integrations:read',
    input: z.object({}),
    output: toViewSchema<Shown>(service),
    run: async ({ vault }: IntegrationDeps, caller: Caller) => {
      assertUser(caller);
      const { userId } = caller;
      return toView<Shown>(service, await vault.database.asUser(userId, (tx) => getRow(tx, service, userId)));
    },
  });
}
