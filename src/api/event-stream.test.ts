import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { openEventStream } from './event-stream.ts';

afterEach(() => vi.useRealTimers());

async function openResponse() {
  const met = Promise.withResolvers<ServerResponse>();
  const server = createServer((_req, res) => met.resolve(res)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  client.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
  const res = await met.promise;
  const end = (): void => {
    client.destroy();
    server.close();
  };
  return { res, client, closed: once(res, 'close'), end };
}

test('a client who has gone before the first event is not waited for, and holds no heartbeat', async () => {
  const { res, client, closed, end } = await openResponse();
  client.destroy();
  await closed;
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const stream = openEventStream(res, { status: 200, headers: {} });
  expect([stream.gone.aborted, timers()]).toEqual([true, before]);
  await expect(stream.send({ data: { text: 'late' } })).rejects.toThrow(/abort/i);
  stream.end();
  end();
});

test('a client who takes nothing any more, without leaving, is cut off', async () => {
  const { res, client, closed, end } = await openResponse();
  client.pause();
  const stream = openEventStream(res, { status: 200, headers: {} });
  const sending = (async () => {
    for (;;) {
      await stream.send({ data: { text: 'x'.repeat(1 << 20) } });
    }
  })();
  // What its socket says when nothing has moved for that long.
  expect(res.socket?.timeout).toBe(60_000);
  res.socket?.emit('timeout');
  await expect(sending).rejects.toThrow(/abort/i);
  await closed;
  end();
});

test('nothing follows the end, however long its reader takes to read it', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const { res, client, closed, end } = await openResponse();
  client.pause();
  const stream = openEventStream(res, { status: 200, headers: {} });
  await stream.send({ data: { text: 'whole' } });
  stream.end();
  const write = vi.spyOn(res, 'write');
  vi.advanceTimersByTime(60_000);
  expect(write).not.toHaveBeenCalled();
  client.destroy();
  await closed;
  end();
});

test('a comment goes out while nothing is sent, none while the reader is behind, and none once it has gone', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const { res, client, closed, end } = await openResponse();
  let read = '';
  client.on('data', (piece) => (read += piece.toString()));
  const comments = () => read.split('\n').filter((line) => line.endsWith(': ')).length;
  const write = vi.spyOn(res, 'write');
  const stream = openEventStream(res, { status: 200, headers: {} });
  vi.advanceTimersByTime(14_999);
  expect(write).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  await expect.poll(comments).toBe(1);
  vi.advanceTimersByTime(30_000);
  await expect.poll(comments).toBe(3);

  client.pause();
  const fill = async (): Promise<void> => {
    while (!res.writableNeedDrain) {
      void stream.send({ data: { text: 'x'.repeat(1 << 20) } }).catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await fill();
  const before = write.mock.calls.length;
  vi.advanceTimersByTime(60_000);
  expect(write.mock.calls.length).toBe(before);
  client.resume();
  await expect.poll(() => res.writableNeedDrain).toBe(false);
  vi.advanceTimersByTime(15_000);
  expect(write).toHaveBeenLastCalledWith(': \n\n');
  await expect.poll(comments).toBe(4);

  client.destroy();
  await closed;
  const last = write.mock.calls.length;
  vi.advanceTimersByTime(60_000);
  expect([write.mock.calls.length, vi.getTimerCount()]).toEqual([last, 0]);
  end();
});
