import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { openEventStream } from './event-stream.ts';

test('a client who has gone before the first event is not waited for, and holds no heartbeat', async () => {
  const met = Promise.withResolvers<ServerResponse>();
  const server = createServer((_req, res) => met.resolve(res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  const res = await met.promise;
  const closed = once(res, 'close');
  client.destroy();
  await closed;
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const stream = openEventStream(res, { status: 200, headers: {} });
  expect([stream.gone.aborted, timers()]).toEqual([true, before]);
  await expect(stream.send({ data: { text: 'late' } })).rejects.toThrow(/abort/i);
  stream.end();
  server.close();
});
