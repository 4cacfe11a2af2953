import { open, rename, rm, stat } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { askQuantity, type ChainRpc } from './chain-rpc.ts';
import type { Log } from '#kit/index.ts';

/** The state that the next start loads, and what anvil writes while it stops. */
export function statePaths(folder: string): { kept: string; dumped: string } {
  return { kept: join(folder, 'state.json'), dumped: join(folder, 'dump.json') };
}

/**
 * Chooses what to load: the dump of the last stop when it is whole and newer, else the last snapshot.
 * anvil truncates its dump before writing it, so a dump cut short by a crash must never replace a whole state.
 */
export async function chooseState(folder: string): Promise<string | null> {
  const { kept, dumped } = statePaths(folder);
  const [keptAt, dumpedAt] = await Promise.all([modifiedAt(kept), modifiedAt(dumped)]);
  if (dumpedAt > keptAt && (await isWhole(dumped))) {
    await rename(dumped, kept);
    return kept;
  }
  await rm(dumped, { force: true });
  return keptAt > 0 ? kept : null;
}

/** Every dump of anvil ends with this field; a truncated one cannot. */
async function isWhole(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const length = Math.min(size, 64);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return /"historical_states":null\}\s*$/.test(buffer.toString());
  } finally {
    await file.close();
  }
}

async function modifiedAt(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.mtimeMs,
    () => 0,
  );
}

interface Keeping {
  rpc: ChainRpc;
  folder: string;
  log: Log;
  everyMs: number;
}

/** Writes a snapshot soon after each change, so that a crash of anvil itself loses a few seconds at most. An idle chain writes nothing. */
export function keepState(deps: Keeping): { stop(): Promise<void> } {
  let savedBlock: bigint | null = null;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let isStopped = false;
  const tick = async (): Promise<void> => {
    const startedAt = performance.now();
    try {
      const block = await askQuantity(deps.rpc, 'eth_blockNumber');
      if (block !== savedBlock) {
        await saveSnapshot(deps);
        savedBlock = block;
      }
    } catch (error) {
      deps.log.warn({ err: error }, 'the state of the local chain could not be saved');
    }
    plan(Math.max(deps.everyMs, 20 * (performance.now() - startedAt)));
  };
  const plan = (delayMs: number): void => {
    if (!isStopped) {
      timer = setTimeout(() => {
        running = tick();
      }, delayMs).unref();
    }
  };
  plan(deps.everyMs);
  return {
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

async function saveSnapshot({ rpc, folder }: Keeping): Promise<void> {
  const { kept } = statePaths(folder);
  const hex = (await rpc('anvil_dumpState')) as string;
  const temporary = `${kept}.new`;
  await pipeline(
    Readable.from([Buffer.from(hex.slice(2), 'hex')]),
    createGunzip(),
    createWriteStream(temporary, { mode: 0o600 }),
  );
  await rename(temporary, kept);
}
