/** The least that can stand in front of a stream: node:http that passes on what it is asked and what it is answered. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

const onwardTo = new URL(process.argv[2] ?? '');
const pipe = createServer((req, res) => {
  const { url: path, method, headers } = req;
  const onward = request({ port: onwardTo.port, path, method, headers }, (answered) => {
    res.writeHead(answered.statusCode ?? 502, answered.headers);
    answered.pipe(res);
  });
  req.pipe(onward);
});
pipe.listen(0, '127.0.0.1');
await once(pipe, 'listening');
console.log(JSON.stringify({ url: `http://127.0.0.1:${(pipe.address() as AddressInfo).port}` }));
process.once('SIGTERM', () => process.exit(0));
