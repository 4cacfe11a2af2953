import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDatabase } from '#database/index.ts';
import { findFreePort } from '../tests/support/free-port.ts';

/** A PostgreSQL of its own, without tables, in a folder that goes with it. `stack` ends both. */
export async function openEmptyDatabase(stack: AsyncDisposableStack): Promise<{ url: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-bench-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const { url, server } = await startDatabase({ folder: join(folder, 'postgres'), port: await findFreePort() });
  stack.defer(() => server.stop());
  return { url, folder };
}
