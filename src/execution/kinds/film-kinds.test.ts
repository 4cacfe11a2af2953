import { PNG } from 'pngjs';
import { describe, expect, test } from 'vitest';
import type { Json } from '#kit/index.ts';
import { endless, useMediaWorld } from '../../../tests/support/media-world.ts';
import { bytes, status, type Step } from '../../../tests/support/scripted-upstream.ts';

const media = useMediaWorld();
const failed = (cause: RegExp, problem = 'upstream_failed') => ({
  ok: false,
  problem,
  cause: expect.stringMatching(cause) as string,
});
const png = PNG.sync.write(new PNG({ width: 4, height: 2 }));

describe('a film', () => {
  const job = (more: object = {}): Step => status(200, { id: 'job-1', polling_url: '/x', status: 'pending', ...more });
  const done = job({ status: 'completed', usage: { cost: 0.5 } });
  const mp4 = Buffer.concat([
    Buffer.from('\0\0\0\x10ftypisom\0\0\0\0', 'latin1'),
    Buffer.from('\0\0\0\x08mdat', 'latin1'),
  ]);
  const film = bytes([mp4], { type: 'video/mp4' });
  const deadlineMs = (): number => Date.now() + 5_000;

  test('is ordered once, waited for and fetched', async () => {
    const told: unknown[] = [];
    const context = { deadlineMs: deadlineMs(), report: (progress: object) => void told.push(progress) };
    const outcome = await media.run('video', [job(), job({ status: 'in_progress' }), done, film], { context });
    expect(outcome).toMatchObject({
      ok: true,
      answer: { body: { json: { video: { contentType: 'video/mp4', sizeBytes: mp4.length } } } },
      evidence: { costUsd: '0.5', own: { route: 'videos' } },
    });
    expect(media.orders()).toEqual([
      'POST /videos',
      'GET /videos/job-1',
      'GET /videos/job-1',
      'GET /videos/job-1/content?index=0',
    ]);
    expect(told.length).toBe(2);
  });

  test('that was ordered before a crash is not ordered again', async () => {
    const kept: Json[] = [];
    const checkpoint = {
      load: async () => kept.at(-1) ?? null,
      save: async (value: Json) => void kept.push(value),
    };
    const broken = await media.run('video', [job(), done, status(500, {})], {
      context: { deadlineMs: deadlineMs(), checkpoint },
    });
    expect(broken.ok).toBe(false);
    expect(kept).toEqual([{ videoJob: 'job-1' }]);
    const again = await media.run('video', [done, film], { context: { deadlineMs: deadlineMs(), checkpoint } });
    expect(again).toMatchObject({ ok: true, evidence: { costUsd: '0.5' } });
    expect(media.orders()).toEqual(['GET /videos/job-1', 'GET /videos/job-1/content?index=0']);
  });

  test('is waited for although the upstream does not answer for a moment', async () => {
    const outcome = await media.run('video', [job(), status(502, {}), done, film], {
      context: { deadlineMs: deadlineMs() },
    });
    expect(outcome.ok).toBe(true);
  });

  test('whose job never ends is given up with the time of the resource, and may have cost something', async () => {
    const context = { deadlineMs: Date.now() + 700 };
    const outcome = await media.run('video', [job(), job({ status: 'in_progress' })], { context });
    expect(outcome).toMatchObject(failed(/^deadline_passed/, 'upstream_timeout'));
    expect(outcome.evidence.costUsd).toBe(null);
  });

  test('that cannot be asked for any more may have cost something', async () => {
    const refused = status(403, { error: { code: 403, message: 'no' } });
    const outcome = await media.run('video', [job(), refused], { context: { deadlineMs: deadlineMs() } });
    expect(outcome).toMatchObject({ ok: false, evidence: { costUsd: null } });
  });

  test.each<[string, Step[], RegExp]>([
    ['failed', [job(), job({ status: 'failed', error: 'out of film' })], /^job_failed: .*out of film/],
    ['cancelled', [job(), job({ status: 'cancelled' })], /^job_failed: .*cancelled/],
    ['expired', [job(), job({ status: 'expired' })], /^job_failed: .*expired/],
  ])('whose job is %s costs nothing', async (_end, steps, cause) => {
    const outcome = await media.run('video', steps, { context: { deadlineMs: deadlineMs() } });
    expect(outcome).toMatchObject(failed(cause));
    expect(outcome.evidence.costUsd).toBe('0');
  });

  test.each<[string, string]>([
    ['leads out of its folder', '../key'],
    ['holds a slash', 'a/b'],
    ['holds a question', 'a?b=c'],
    ['is encoded', '%2e%2e'],
    ['is empty', ''],
    ['is endless', 'a'.repeat(201)],
    ['breaks the line', 'a\r\nX-Evil: 1'],
  ])('whose job has an id that %s is not asked for', async (_what, id) => {
    expect(await media.run('video', [job({ id })])).toMatchObject(failed(/^malformed/));
    expect(media.orders()).toEqual(['POST /videos']);
  });

  test.each<[string, string]>([
    ['inside this network', 'https://10.0.0.1/film.mp4'],
    ['on this machine', 'https://127.0.0.1/film.mp4'],
    ['of the metadata of a cloud', 'http://169.254.169.254/latest/meta-data'],
    ['of a file', 'file:///etc/passwd'],
    ['of a port of databases', 'https://example.com:5432/'],
  ])('is not fetched from an address %s', async (_what, location) => {
    const redirect: Step = (response) => void response.writeHead(302, { location }).end();
    expect(await media.run('video', [job(), done, redirect], { context: { deadlineMs: deadlineMs() } })).toMatchObject(
      failed(/^malformed/),
    );
  });

  test('is fetched where the upstream keeps it, without the key', async () => {
    const redirect: Step = (response) =>
      void response.writeHead(302, { location: `${media.router.upstream.url}/f.mp4` }).end();
    const outcome = await media.runTrusting('video', [job(), done, redirect, film], {
      context: { deadlineMs: deadlineMs() },
    });
    expect(outcome.ok).toBe(true);
    expect(media.router.upstream.seen.at(-1)?.headers.authorization).toBeUndefined();
  });

  test.each<[string, Step, RegExp]>([
    ['a page', bytes(['<html>'], { type: 'text/html' }), /^malformed/],
    ['a page that calls itself a film', bytes(['<html>'], { type: 'video/mp4' }), /^unusable_video/],
    ['a picture', bytes([png], { type: 'video/mp4' }), /^unusable_video/],
    ['a film that was cut', bytes([mp4.subarray(0, -3)], { type: 'video/mp4' }), /^unusable_video: .*breaks off/],
    ['a film without end', endless('video/mp4'), /^unusable_video|^answer_too_large/],
  ])('is not sold where there is %s', async (_what, step, cause) => {
    expect(
      await media.run('video', [job(), done, step], { context: { deadlineMs: Date.now() + 20_000 } }),
    ).toMatchObject(failed(cause));
  });
});
