import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { readConfig } from '../src/config.ts';
import { startFarebox } from '../src/main.ts';
import { runAgreement } from './run-agreement.ts';

const CALLS = 10_000;
const SEED = 'farebox';

/** Ten thousand seeded calls of every kind, and whether all who count them come to the same sums. @returns whether they do. */
export async function measureAgreement(): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'farebox-agreement-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const config = readConfig({ PORT: '0', DATA_DIR: folder });
  const options = { log: pino({ level: 'fatal' }), latency: { firstTokenMs: 0, tokensPerSecond: 0 } };
  const farebox = await startFarebox(config, options);
  stack.defer(() => farebox.close());
  console.log(`\nAgreement: ${CALLS} seeded calls`);
  const { lines, isAgreed } = await runAgreement(farebox, { calls: CALLS, seed: SEED });
  lines.forEach((line) => console.log(`  ${line}`));
  return isAgreed;
}
