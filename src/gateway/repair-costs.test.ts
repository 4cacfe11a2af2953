import { expect, test } from 'vitest';
import { newId } from '#kit/index.ts';
import { recordCall } from '#usage/index.ts';
import { makeRecord } from '../../tests/support/call-record.ts';
import { quietLog } from '../../tests/support/test-chain.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { repairCosts } from './repair-costs.ts';

const database = useTestDatabase();

test('what several runs of one call did cost is found together, and then nothing more is asked', async () => {
  const { current } = database;
  const ids = Array.from({ length: 5 }, newId);
  for (const callId of ids) {
    const untold = (generationId: string) => ({ costUsd: null, evidence: { generationId: `gen-${generationId}` } });
    const owed = makeRecord({ callId, status: 'owed', ...untold('first') });
    await recordCall(current.system, owed);
    await recordCall(current.system, { ...owed, status: 'success', ...untold('second') });
  }
  const deps = {
    database: current,
    log: quietLog,
    platformKey: null,
    openCreatorKey: async () => ({ apiKey: 'key' }),
    findGenerationCost: async () => ({ ok: true as const, costUsd: '0.002' }),
  };
  expect(await repairCosts(deps as unknown as Parameters<typeof repairCosts>[0])).toBe(10);
  const { rows } = await current.system.query(
    `SELECT DISTINCT cost_state, trim_scale(cost_usd)::text AS usd FROM x402_prompt_template_usage_logs WHERE call_id = ANY ($1)`,
    [ids],
  );
  expect(rows).toEqual([{ cost_state: 'found', usd: '0.004' }]);
});
