/** A server that does nothing but send one fixed answer: what node:http itself can do. Takes `{status, headers, body}` as its argument. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const fixed = JSON.parse(process.argv[2] ?? '') as { status: number; headers: Record<string, string>; body: string };
const body = Buffer.from(fixed.body, 'base64');
const server = createServer({ keepAliveTimeout: 20_000 }, (_req, res) => {
  res.writeHead(fixed.status, fixed.headers).end(body);
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })));
process.once('SIGTERM', () => process.exit(0));
