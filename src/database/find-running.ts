import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The address of the embedded PostgreSQL that another process runs in `folder`; null when none runs there. */
export async function findRunningPostgres(folder: string, database: string): Promise<string | null> {
  try {
    const [pid = '', , , port = ''] = (await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n');
    const password = (await readFile(join(folder, 'farebox-password'), 'utf8')).trim();
    process.kill(Number(pid), 0);
    return `postgres://farebox:${password}@127.0.0.1:${Number(port)}/${database}`;
  } catch {
    return null;
  }
}
