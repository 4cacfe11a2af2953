import { expect, test } from 'vitest';
import { openPlatformBudget } from '#integrations/index.ts';
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

test("two sweeps that ask for the same runs at once correct the share of the operator's key once for each run", async () => {
  const { current } = database;
  const [callId, ownerId] = [newId(), newId()];
  const budget = openPlatformBudget({ database: current, clock: { now: Date.now }, dailyUsd: '1' });
  for (const generationId of ['gen-2', 'gen-3']) {
    const reservation = await budget.reserve(ownerId, { callId, worstUsd: '0.1' });
    await budget.close(reservation ?? '', null);
    const untold = { costUsd: null, evidence: { generationId }, keySource: 'platform' as const };
    const status = generationId === 'gen-2' ? 'owed' : 'success';
    await recordCall(current.system, makeRecord({ callId, ownerId, status, ...untold }));
  }
  const asked = Promise.withResolvers<string>();
  const answers = Promise.withResolvers<void>();
  const openSweep = (wait: (generationId: string) => Promise<void>) => ({
    database: current,
    log: quietLog,
    platformKey: { apiKey: 'key', budget },
    openCreatorKey: async () => null,
    findGenerationCost: async ({ generationId }: { generationId: string }) => {
      await wait(generationId);
      return { ok: true as const, costUsd: `0.00${generationId.at(-1)}` };
    },
  });
  const sweep = (wait: (generationId: string) => Promise<void>) =>
    repairCosts(openSweep(wait) as unknown as Parameters<typeof repairCosts>[0]);
  const slow = sweep((generationId) => {
    asked.resolve(generationId);
    return answers.promise;
  });
  // Due again before the first sweep has its answer; it then still has the call's other run to close.
  await current.system.query(
    'UPDATE usage_cost_lookups SET next_at = now() WHERE call_id = $1 AND generation_id = $2',
    [callId, await asked.promise],
  );
  await sweep(async () => {});
  answers.resolve();
  await slow;
  const { rows } = await current.system.query(
    `SELECT trim_scale(day.spent_usd)::text AS share, trim_scale(cost_usd)::text AS logged, cost_state
     FROM platform_key_days day JOIN x402_prompt_template_usage_logs USING (owner_id) WHERE owner_id = $1`,
    [ownerId],
  );
  expect(rows).toEqual([{ share: '0.005', logged: '0.005', cost_state: 'found' }]);
});
