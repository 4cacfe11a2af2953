import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, type Caller } from '#kit/index.ts';
import { changeIntegration } from './change-integration.ts';
import { checkGiven, type Checked } from './check-given.ts';
import type { IntegrationService } from './integration-service.ts';
import { getIntegration, toView, toViewSchema, type IntegrationDeps, type IntegrationRow } from './integration.ts';
import { toKeyPlace } from './open-key.ts';
import { storeVerdict, toVerdict } from './store-verdict.ts';

export function testIntegration<Given extends object, Shown extends object, Name extends string>(
  service: IntegrationService<Given, Shown, Name>,
) {
  const { provider, credential } = service;
  return operation({
    name: `integrations.${service.name}.test`,
    route: `POST /api/user/integrations/${service.name}/test`,
    summary: `Ask ${provider} about your stored ${credential} again and keep what it says`,
    scope: 'integrations:write',
    input: z.object({}),
    output: z.object({ ok: z.boolean(), problem: z.string().nullable(), integration: toViewSchema<Shown>(service) }),
    problems: ['not_found'],
    // The provider is asked before the transaction.
    prepare: async ({ vault, clients }: IntegrationDeps, caller) => {
      assertUser(caller);
      const ownerId = caller.userId;
      const { row, key } = await vault.database.asUser(ownerId, async (tx) => {
        const found = await getIntegration(tx, service, ownerId);
        return { row: found, key: await vault.open(tx, toKeyPlace(service, ownerId), found.sealed_key) };
      });
      const before = service.shown.parse(row.snapshot);
      return { row, before, checked: await checkGiven({ clients }, service, service.toGiven(key, before)) };
    },
    run: async (deps: IntegrationDeps & InTransaction<Tested<Shown>>, caller: Caller) => {
      assertUser(caller);
      const { row, before, checked } = deps.prepared;
      if (checked.verdict === 'unclear') {
        return { ok: false, problem: checked.detail, integration: toView<Shown>(service, row) };
      }
      const verdict = toVerdict(row, before, checked);
      const { row: stored } = await changeIntegration(deps, service, {
        ownerId: caller.userId,
        write: (tx) => storeVerdict(tx, { service, row, checkedAt: new Date(deps.vault.clock.now()) }, verdict),
      });
      return {
        ok: verdict.problem === null,
        problem: verdict.problem,
        integration: toView<Shown>(service, stored ?? row),
      };
    },
  });
}

interface Tested<Shown extends object> {
  row: IntegrationRow;
  before: Shown;
  checked: Checked<Shown>;
}
