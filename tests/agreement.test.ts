import { expect, test } from 'vitest';
import { runAgreement } from '../bench/run-agreement.ts';
import { useApp } from './support/start-app.ts';

const app = useApp();

test('the simulator, the log, the dashboards, the ledger and the chain come to the same sums over seeded calls of every kind', async () => {
  const { lines, isAgreed } = await runAgreement(app.current, { calls: 200, seed: 'agreement' });
  expect([isAgreed, lines.filter((line) => line.startsWith('DIFFERS'))]).toEqual([true, []]);
});
