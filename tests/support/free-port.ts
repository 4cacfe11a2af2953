import { once } from 'node:events';
import { createServer } from 'node:net';
import { findFreePort } from '#database/free-port.ts';

export { findFreePort };

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = once(server, 'listening').then(
    () => true,
    () => false,
  );
  server.listen(port, '127.0.0.1');
  const found = await listening;
  server.close();
  return found;
}

/** The first of four free ports in a row. */
export async function findFourPorts(): Promise<number> {
  for (;;) {
    const first = await findFreePort();
    const free = await Promise.all([1, 2, 3].map((offset) => isFree(first + offset)));
    if (first < 65_000 && free.every(Boolean)) {
      return first;
    }
  }
}
