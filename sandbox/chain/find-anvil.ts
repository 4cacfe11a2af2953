import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const architectures: Record<string, string> = { x64: 'amd64', arm64: 'arm64' };

/** Path of the anvil that npm installed for this platform, else of the one on PATH. */
export async function findAnvil(): Promise<string> {
  const packageName = `@foundry-rs/anvil-${process.platform}-${architectures[process.arch] ?? process.arch}`;
  try {
    const packageFile = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
    return join(dirname(packageFile), 'bin', 'anvil');
  } catch {
    return findOnPath(packageName);
  }
}

async function findOnPath(packageName: string): Promise<string> {
  const found = await run('sh', ['-c', 'command -v anvil']).catch(() => ({ stdout: '' }));
  const path = found.stdout.trim();
  if (!path.startsWith('/')) {
    throw new Error(
      `The sandbox needs anvil for its local chain, and there is none here. Install it with "npm install --no-save ${packageName}@1.7.1", or put an anvil of Foundry 1.7 or newer on PATH (https://getfoundry.sh).`,
    );
  }
  return path;
}
