import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const folder = join(import.meta.dirname, 'peers');

/** What we are measured against has its own lockfile, so that nobody who only runs Farebox installs it. */
export async function installPeers(): Promise<void> {
  if (existsSync(join(folder, 'node_modules/@portkey-ai/gateway/package.json'))) {
    return;
  }
  console.log('Installing the peers (npm ci --prefix bench/peers); this happens once.');
  await promisify(execFile)('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund'], { cwd: folder });
}
