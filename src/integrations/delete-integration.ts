import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, type Caller } from '#kit/index.ts';
import { changeIntegration } from './change-integration.ts';
import { dependent, stillSellingShape, toStillSellingNote } from './changes.ts';
import type { IntegrationService } from './integration-service.ts';
import { refuseMissing, type IntegrationDeps } from './integration.ts';

export function deleteIntegration<Name extends string>(service: IntegrationService<object, object, Name>) {
  return operation({
    name: `integrations.${service.name}.delete`,
    route: `DELETE /api/user/integrations/${service.name}`,
    summary: `Delete your ${service.provider} ${service.credential} and pause what depends on it, unless the operator's key stands in`,
    scope: 'integrations:write',
    input: z.object({}),
    output: z.object({ deleted: z.literal(true), paused: z.array(dependent), ...stillSellingShape }),
    problems: ['not_found'],
    run: async (deps: IntegrationDeps & InTransaction, caller: Caller) => {
      assertUser(caller);
      const ownerId = caller.userId;
      const { paused, stillSelling } = await changeIntegration(deps, service, {
        ownerId,
        write: async (tx) => {
          const { rowCount } = await tx.query(`DELETE FROM ${service.table} WHERE owner_id = $1`, [ownerId]);
          return rowCount === 0 ? refuseMissing(service) : null;
        },
      });
      return { deleted: true as const, paused, stillSelling, note: toStillSellingNote(stillSelling) };
    },
  });
}
