import { expect, test, vi } from 'vitest';
import { admitToRun } from './admit-to-run.ts';
import { admitWhenClear } from './admit-when-clear.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';

vi.mock('./admit-to-run.ts', () => ({ admitToRun: vi.fn<typeof admitToRun>() }));
vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }));

const seconds = 1_000;
const settleReserve = 6 * seconds;

/** A payment that is valid for the longest run, its settlement and `spareMs`; each look at the clock takes a second. */
async function admit(spareMs: number) {
  const call = {
    version: { timeoutSeconds: 10 },
    settlementPoint: 'on_success',
    payment: { expiresAt: (10 * seconds + settleReserve + spareMs) / 1_000 },
  };
  let nowMs = 0;
  const clock = { now: () => (nowMs += seconds) - seconds };
  const payments = { schemes: new Map() };
  const deps = { clock, payments } as unknown as GatewayDeps;
  return admitWhenClear(deps, call as unknown as PaidCall, { balanceAtomic: 1n, deadlineInMs: 1 });
}

test('a payment that has waited so long that its run would be cut off is not run', async () => {
  vi.mocked(admitToRun).mockResolvedValueOnce('unclear').mockResolvedValueOnce('running');
  expect(await admit(1 * seconds)).toBe('expires_too_soon');
  vi.mocked(admitToRun).mockReset();
});

test('a payment that still outlives its run after the wait is run', async () => {
  vi.mocked(admitToRun).mockResolvedValueOnce('unclear').mockResolvedValueOnce('running');
  expect(await admit(6 * seconds)).toBe('running');
});
