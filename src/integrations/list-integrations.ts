import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, type Caller } from '#kit/index.ts';
import { findIntegration, type IntegrationDeps, type IntegrationRow } from './integration.ts';

const connection = z.object({
  label: z.string().nullable(),
  lastFour: z.string(),
  isEnabled: z.boolean(),
  isValid: z.boolean(),
  lastCheckedAt: z.string(),
  lastProblem: z.string().nullable(),
});
const item = z.object({
  service: z.string(),
  provider: z.string(),
  credential: z.string(),
  connection: connection.nullable(),
});

export const listIntegrations = operation({
  name: 'integrations.list',
  route: 'GET /api/user/integrations',
  summary: 'The services that you can connect, and how your connection to each of them stands',
  scope: 'integrations:read',
  input: z.object({}),
  output: z.object({ items: z.array(item) }),
  run: async ({ tx, services }: IntegrationDeps & InTransaction, caller: Caller) => {
    assertUser(caller);
    const items: z.output<typeof item>[] = [];
    for (const service of services) {
      const row = await findIntegration(tx, service, caller.userId);
      const { name, provider, credential } = service;
      items.push({ service: name, provider, credential, connection: row && toConnection(row) });
    }
    return { items };
  },
});

function toConnection(row: IntegrationRow): z.output<typeof connection> {
  return {
    label: row.label,
    lastFour: row.last_four,
    isEnabled: row.is_enabled,
    isValid: row.is_valid,
    lastCheckedAt: row.last_checked_at.toISOString(),
    lastProblem: row.last_problem,
  };
}
