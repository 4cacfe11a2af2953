import { Readable } from 'node:stream';
import rangeParser from 'range-parser';
import { isUuid, Problem } from '#kit/index.ts';
import type { Route } from './mount-routes.ts';
import { toProblemAnswer } from './problem.ts';
import type { AppContext } from './request-context.ts';
import type { AppOptions, ServedMedia } from './server-options.ts';

/** RFC 9110, 14.1.2; more of it than this nobody needs. */
const RANGES = /^bytes=[\d\s,-]{1,200}$/i;

/** Files of paid answers, by signed links that expire. A link is a right: what it names never changes. */
export function mediaRoutes(options: AppOptions): Route[] {
  // The second is the name of the original design; links to pictures have it.
  return ['/api/media/:id', '/api/images/:id'].map((pattern) => ({
    method: 'GET',
    pattern,
    handle: async (c) => {
      const id = c.req.param('id') ?? '';
      const { expires = '', signature = '' } = c.req.query();
      if (!isUuid(id)) {
        throw new Problem('not_found', {
          detail: 'There is no such file, or this link to it is wrong.',
          next: 'Use the link exactly as the answer gave it, before its expiry.',
        });
      }
      return serve(c, { id, media: await options.openMedia(id, { expires, signature }) });
    },
  }));
}

/** RFC 9110: conditional requests, then the range, then the body; HEAD answers as GET without one. */
async function serve(c: AppContext, { id, media }: { id: string; media: ServedMedia }): Promise<Response> {
  const etag = `"${media.sha256}"`;
  c.header('ETag', etag);
  c.header('Accept-Ranges', 'bytes');
  c.header('Cache-Control', `private, max-age=${secondsUntil(media.expiresAt)}, immutable`);
  c.header('Content-Security-Policy', "default-src 'none'; sandbox");
  c.header('Cross-Origin-Resource-Policy', 'cross-origin');
  if (isUnchanged(c.req.header('if-none-match'), etag)) {
    await media.assertThere();
    return c.body(null, 304);
  }
  const range = toRange(c, { etag, sizeBytes: media.sizeBytes });
  if (range === 'outside') {
    return answerOutside(c, media.sizeBytes);
  }
  c.header('Content-Type', media.contentType);
  c.header(
    'Content-Disposition',
    `${media.kind === 'file' ? 'attachment' : 'inline'}; filename="${id}${toEnding(media)}"`,
  );
  c.header('Content-Length', String(range ? range.end - range.start + 1 : media.sizeBytes));
  if (range) {
    c.header('Content-Range', `bytes ${range.start}-${range.end}/${media.sizeBytes}`);
  }
  const status = range ? 206 : 200;
  if (c.req.method === 'HEAD') {
    await media.assertThere();
    return c.body(null, status);
  }
  const stream = await media.read(range);
  // Who has gone meanwhile reads nothing of the body, nor cancels it.
  const { signal } = c.req.raw;
  signal.addEventListener('abort', () => stream.destroy(), { once: true });
  if (signal.aborted) {
    stream.destroy();
  }
  return c.body(Readable.toWeb(stream) as ReadableStream<Uint8Array>, status);
}

function isUnchanged(header: string | undefined, etag: string): boolean {
  const tags = new Set((header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, '')));
  return tags.has(etag) || tags.has('*');
}

/** One range is served as such; a header that cannot be read, or names several, is answered with the whole. */
function toRange(
  c: AppContext,
  { etag, sizeBytes }: { etag: string; sizeBytes: number },
): { start: number; end: number } | 'outside' | undefined {
  const header = c.req.header('range');
  const condition = c.req.header('if-range');
  if (header === undefined || !RANGES.test(header) || (condition !== undefined && condition.trim() !== etag)) {
    return undefined;
  }
  const ranges = rangeParser(sizeBytes, header, { combine: true });
  if (ranges === -1) {
    return 'outside';
  }
  const [only, ...others] = ranges === -2 || ranges.type !== 'bytes' ? [] : ranges;
  return others.length === 0 ? only : undefined;
}

function answerOutside(c: AppContext, sizeBytes: number): Response {
  const problem = new Problem('invalid_input', {
    detail: `The file has ${sizeBytes} bytes; the range lies outside of it.`,
    headers: { 'Content-Range': `bytes */${sizeBytes}` },
  });
  const { status, headers, body } = toProblemAnswer(problem, { requestId: c.get('requestId'), status: 416 });
  Object.entries(headers).forEach(([name, value]) => c.header(name, value));
  return c.body(body, status as 416);
}

function secondsUntil(at: Date): number {
  return Math.max(0, Math.floor((at.getTime() - Date.now()) / 1000));
}

/** `.png`: for whoever saves it. */
function toEnding({ contentType }: ServedMedia): string {
  const [, name = ''] = contentType.split('/');
  const endings: Readonly<Record<string, string>> = { mpeg: 'mp3', plain: 'txt', quicktime: 'mov', jpeg: 'jpg' };
  return `.${Object.hasOwn(endings, name) ? endings[name] : name}`;
}
