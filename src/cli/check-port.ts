import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Finding } from './doctor.ts';

export interface NeededPort {
  host: string;
  port: number;
  /** What it is for, in words that follow "needed for". */
  purpose: string;
}

/** Can this TCP port be listened on? */
export async function checkPort(needed: NeededPort): Promise<Finding> {
  const server = createServer();
  try {
    server.listen(needed.port, needed.host);
    await once(server, 'listening');
    return { state: 'good', detail: `${needed.host}:${needed.port} is free` };
  } catch (error) {
    return explainPort(needed, (error as NodeJS.ErrnoException).code ?? 'unknown error');
  } finally {
    server.close();
  }
}

/** Where Linux says which port is the first that needs no right; elsewhere it is this one. */
const FIRST_FREE = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
const FIRST_FREE_DEFAULT = 1024;

/** Can this TCP port be listened on by PostgreSQL, which is started as an ordinary user, whoever we are? */
export async function checkPostgresPort(needed: NeededPort): Promise<Finding> {
  const told = Number.parseInt(await readFile(FIRST_FREE, 'utf8').catch(() => ''), 10);
  const first = Number.isNaN(told) ? FIRST_FREE_DEFAULT : told;
  if (process.platform === 'win32' || needed.port >= first) {
    return checkPort(needed);
  }
  return {
    state: 'bad',
    detail: `Port ${needed.port} of ${needed.host}, needed for ${needed.purpose}, may not be listened on by ordinary users, and it runs as one (EACCES)`,
    mend: 'Keep PORT=4020 and let a reverse proxy serve the other port, or name a PostgreSQL of your own with DATABASE_URL.',
  };
}

/**
 * Why a port cannot be used, by the error code of `listen`, and the way out.
 * @internal for the codes that a test cannot bring about everywhere: a test may run as root.
 */
export function explainPort({ host, port, purpose }: NeededPort, code: string): Finding {
  const named = `Port ${port} of ${host}, needed for ${purpose},`;
  switch (code) {
    case 'EADDRINUSE':
      return {
        state: 'bad',
        detail: `${named} is taken by another program (EADDRINUSE)`,
        mend: `Stop what listens there, or choose other ports: PORT=${port < 60_000 ? port + 10 : 4030} npm start`,
      };
    case 'EACCES':
    case 'EPERM':
      return {
        state: 'bad',
        detail: `${named} may not be listened on by this user (${code})`,
        mend: 'Ports below 1024 need a right of their own: keep PORT=4020 and let a reverse proxy serve this one.',
      };
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
    case 'EAFNOSUPPORT':
      return {
        state: 'bad',
        detail: `HOST: ${host} is not an address of this machine (${code})`,
        mend: 'Leave HOST out for 127.0.0.1, or set it to 0.0.0.0 for every address of this machine.',
      };
    default:
      return { state: 'bad', detail: `${named} cannot be used (${code})`, mend: 'Choose another PORT or HOST.' };
  }
}
