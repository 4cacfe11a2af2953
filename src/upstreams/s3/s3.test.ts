import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collectPages } from '../../../tests/support/collect-pages.ts';
import { openS3Server, type S3Server } from '../../../tests/support/open-s3-server.ts';
import { openS3, type S3 } from './open-s3.ts';

let server: S3Server;
let s3: S3;
let folder: string;
const bytes = Buffer.from('a file');
const file = { path: '', sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };

beforeAll(async () => {
  server = await openS3Server();
  s3 = openS3(server.options);
  folder = await mkdtemp(join(tmpdir(), 'farebox-s3-test-'));
  file.path = join(folder, 'file');
  await writeFile(file.path, bytes);
});
afterAll(async () => {
  await s3.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

test('an object is stored although the service fails at first', async () => {
  server.failNext(503, 'broken', 500);
  await s3.put('k/1', file);
  server.failNext('broken', 429);
  const read = await s3.get('k/1');
  expect(read && (await buffer(read.stream))).toEqual(bytes);
});

test('what the service refuses is not tried again, and the fault names neither key nor content', async () => {
  server.failNext(403);
  const refused = s3.put('k/2', file);
  await expect(refused).rejects.toThrow(/^The object store answered PUT with 403 \(Injected\)$/);
  expect(await s3.head('k/2')).toBeNull();
});

test('a service that keeps failing is told as such, without what it says', async () => {
  server.failNext(500, 500, 500, 500);
  await expect(s3.get('k/1')).rejects.toThrow(/^The object store answered GET with 500 \(Injected\)$/);
  server.failNext('broken', 'broken', 'broken', 'broken');
  await expect(s3.get('k/1')).rejects.toThrow(/^The object store cannot be reached: /);
});

test('clients who stand still hold up nothing else, and only so many of them', async () => {
  const own = openS3(server.options);
  const large = Buffer.alloc(3_000_000, 1);
  const path = join(folder, 'large');
  await writeFile(path, large);
  await own.put('k/large', { path, sizeBytes: large.length, sha256: createHash('sha256').update(large).digest('hex') });
  const held = await Promise.all(Array.from({ length: 128 }, () => own.get('k/large', undefined, 'client')));
  await expect(own.get('k/large', undefined, 'client')).rejects.toMatchObject({ code: 'unavailable' });
  expect(await own.head('k/large')).toEqual({ sizeBytes: large.length });
  const read = await own.get('k/large');
  expect(read && (await buffer(read.stream)).length).toBe(large.length);
  const closing = held.map(
    (one) =>
      new Promise((resolve) =>
        one?.stream
          .on('error', () => {})
          .once('close', resolve)
          .destroy(),
      ),
  );
  await Promise.all(closing);
  const again = await own.get('k/large', undefined, 'client');
  expect(again && (await buffer(again.stream)).length).toBe(large.length);
  await own.close();
});

test('a listing of several pages is read to its end', async () => {
  const asked: (string | null)[] = [];
  const page = (key: string, next: string) =>
    `<?xml version="1.0"?><ListBucketResult><IsTruncated>${next !== ''}</IsTruncated><Contents><Key>${key}</Key>
     <LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>${next}</ListBucketResult>`;
  const service = createServer((req, res) => {
    const token = new URL(req.url ?? '/', 'http://s3.test').searchParams.get('continuation-token');
    asked.push(token);
    res.end(token === null ? page('a/1', '<NextContinuationToken>1+/=&amp;</NextContinuationToken>') : page('a/2', ''));
  }).listen(0, '127.0.0.1');
  await once(service, 'listening');
  const { port } = service.address() as AddressInfo;
  const paged = openS3({ ...server.options, endpoint: `http://127.0.0.1:${port}` });
  const listed = await collectPages(paged.list('a/'));
  expect(listed.map(({ key }) => key)).toEqual(['a/1', 'a/2']);
  expect(asked).toEqual([null, '1+/=&']);
  await paged.close();
  service.close();
});

test('the check writes, reads, lists and leaves nothing', async () => {
  await s3.check();
  const left: string[] = [];
  for await (const page of s3.list('farebox-check/')) {
    left.push(...page.map(({ key }) => key));
  }
  expect(left).toEqual([]);
});

test('the check tells of a bucket that is not there', async () => {
  const other = openS3({ ...server.options, bucket: 'no-such-bucket' });
  await expect(other.check()).rejects.toThrow(/404 \(NoSuchBucket\)/);
  await other.close();
});
