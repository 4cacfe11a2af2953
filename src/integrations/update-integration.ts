import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, type Caller } from '#kit/index.ts';
import { changeIntegration } from './change-integration.ts';
import { toStillSellingNote } from './changes.ts';
import type { IntegrationService } from './integration-service.ts';
import { refuseMissing, toSwitchedSchema, toView, type IntegrationDeps, type IntegrationRow } from './integration.ts';

export function updateIntegration<Given extends object, Shown extends object, Name extends string>(
  service: IntegrationService<Given, Shown, Name>,
) {
  return operation({
    name: `integrations.${service.name}.update`,
    route: `PATCH /api/user/integrations/${service.name}`,
    summary: `Switch your stored ${service.provider} ${service.credential} on or off; pauses or resumes what depends on it. Where the operator's key stands in, nothing is paused`,
    scope: 'integrations:write',
    input: z.object({ isEnabled: z.boolean() }),
    output: toSwitchedSchema<Shown>(service),
    problems: ['not_found'],
    run: async (deps: IntegrationDeps & InTransaction, caller: Caller, { isEnabled }) => {
      assertUser(caller);
      const ownerId = caller.userId;
      const { row, paused, resumed, stillSelling } = await changeIntegration(deps, service, {
        ownerId,
        write: async (tx) => {
          const { rows } = await tx.query<IntegrationRow>(
            `UPDATE ${service.table} SET is_enabled = $2, updated_at = $3 WHERE owner_id = $1 RETURNING *`,
            [ownerId, isEnabled, new Date(deps.vault.clock.now())],
          );
          return rows[0] ?? refuseMissing(service);
        },
      });
      const note = toStillSellingNote(stillSelling);
      return { ...toView<Shown>(service, row), paused, resumed, stillSelling, note };
    },
  });
}
