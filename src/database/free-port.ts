import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/**
 * A TCP port of 127.0.0.1 that was free a moment ago.
 * @internal for tests that start servers.
 */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The ports of one Farebox: four in a row from `first`, or four free ones where `first` is 0. */
export async function choosePorts(first: number) {
  const offsets = [0, 1, 2, 3];
  const [http, chain, openRouter, database] =
    first === 0 ? await Promise.all(offsets.map(() => findFreePort())) : offsets.map((offset) => first + offset);
  return { http: http ?? 0, chain: chain ?? 0, openRouter: openRouter ?? 0, database: database ?? 0 };
}
