import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, type Caller } from '#kit/index.ts';
import type { IntegrationService } from './integration-service.ts';
import { getIntegration as getRow, toView, toViewSchema } from './integration.ts';

export function getIntegration<Given extends object, Shown extends object, Name extends string>(
  service: IntegrationService<Given, Shown, Name>,
) {
  return operation({
    name: `integrations.${service.name}.get`,
    route: `GET /api/user/integrations/${service.name}`,
    summary: `Your stored ${service.provider} ${service.credential}: label, last four characters and the last check; never the ${service.credential}`,
    scope: 'integrations:read',
    input: z.object({}),
    output: toViewSchema<Shown>(service),
    problems: ['not_found'],
    run: async ({ tx }: InTransaction, caller: Caller) => {
      assertUser(caller);
      return toView<Shown>(service, await getRow(tx, service, caller.userId));
    },
  });
}
