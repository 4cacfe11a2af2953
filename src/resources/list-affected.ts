import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { dependent, type ServiceName } from '#integrations/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import { findDependents } from './follow-integration.ts';
import { getUser } from './own-resource.ts';
import type { ResourcesDeps } from './resources-deps.ts';

export function listAffected<Name extends string>({ name: service, provider, credential }: ServiceName<Name>) {
  return operation({
    name: `integrations.${service}.affected_resources`,
    route: `GET /api/user/integrations/${service}/affected-resources`,
    summary: `The resources that deleting or switching off your ${provider} ${credential} would pause`,
    scope: 'integrations:read',
    input: z.object({}),
    output: z.object({ items: z.array(dependent) }),
    run: async (deps: ResourcesDeps & InTransaction, caller: Caller) => ({
      items: await findDependents(deps, deps.tx, { ownerId: getUser(caller).userId, service }),
    }),
  });
}
