import { invalid, json, wrongType, type Bad } from './bad-request.ts';
import { asAda, type World } from './bad-request-world.ts';
import type { RawRequest } from './send-raw.ts';

/** Requests that are not quite HTTP, or that are meant for another host. */
export function listBadHttp(world: World): Bad[] {
  const post = (path: string, body: string, headers: Record<string, string> = {}): RawRequest => ({
    method: 'POST',
    path,
    headers: { ...json, ...headers },
    body,
  });
  const faucet = (body: string) => post('/sandbox/faucet', body);
  return [
    {
      why: 'a method that is not served',
      send: asAda(world, { method: 'PUT', path: '/api/resources', body: '{}' }),
      status: 405,
      code: 'method_not_allowed',
      says: /GET, HEAD, OPTIONS, POST/,
    },
    {
      why: 'deleting a resource',
      send: asAda(world, { method: 'DELETE', path: `/api/resources/${world.ids.essay}` }),
      status: 405,
      code: 'method_not_allowed',
      says: /GET, HEAD, OPTIONS, PATCH/,
    },
    { why: 'a faucet without address', send: faucet('{}'), ...invalid, says: /\/address/ },
    { why: 'a faucet with an address too short', send: faucet('{"address":"0x12"}'), ...invalid, says: /40 hex/ },
    {
      why: 'a faucet with the zero address',
      send: faucet(`{"address":"0x${'0'.repeat(40)}"}`),
      ...invalid,
      says: /zero address/,
    },
    {
      why: 'a faucet with a wrong checksum',
      send: faucet('{"address":"0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045"}'),
      ...invalid,
      says: /checksum/,
    },
    { why: 'a faucet with a list', send: faucet('{"address":["0x12"]}'), ...invalid, says: /\/address/ },
    {
      why: 'a faucet that shall give more',
      send: faucet(`{"address":"${world.buyer.address}","amountUsdc":"1000"}`),
      ...invalid,
      says: /amountUsdc/,
    },
    {
      why: 'headers over 16 KB',
      send: { path: '/api/models', headers: { 'X-Long': 'x'.repeat(20_000) } },
      status: 431,
      code: 'too_large',
      says: /16 KiB/,
    },
    { why: 'no HTTP at all', send: 'HELO farebox\r\n\r\n', ...invalid, says: /valid HTTP/ },
    {
      why: 'two lengths',
      send: 'POST /api/resources HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      ...invalid,
      says: /valid HTTP/,
    },
    {
      why: 'a length and chunks',
      send: 'POST /@ada/essay HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ...invalid,
      says: /valid HTTP/,
    },
    {
      why: 'a host that is none',
      send: 'GET /api/models HTTP/1.1\r\nHost: a b/c\r\nConnection: close\r\n\r\n',
      ...invalid,
      says: /Host/,
    },
    {
      why: 'a compressed body',
      send: asAda(world, {
        method: 'POST',
        path: '/api/resources',
        headers: { 'Content-Encoding': 'gzip' },
        body: 'x',
      }),
      ...wrongType,
      says: /Content-Encoding/,
    },
    {
      why: 'another charset',
      send: asAda(world, {
        method: 'POST',
        path: '/api/resources',
        headers: { 'Content-Type': 'application/json; charset=utf-16' },
        body: '{}',
      }),
      ...wrongType,
      says: /UTF-8/,
    },
    {
      why: 'a form',
      send: asAda(world, {
        method: 'POST',
        path: '/api/resources',
        headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
        body: '--x--',
      }),
      ...wrongType,
      says: /JSON/,
    },
    {
      why: 'a body over 256 KiB',
      send: asAda(world, { method: 'POST', path: '/api/resources', body: `{"name":"${'x'.repeat(270_000)}"}` }),
      status: 413,
      code: 'too_large',
      says: /256 KiB/,
    },
  ];
}
