import { Problem } from '#kit/index.ts';
import type { Route } from './mount-routes.ts';
import type { AppOptions } from './server-options.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MEDIA_TYPE = /^(image\/(png|jpeg|webp|gif)|audio\/(wav|mpeg|ogg|flac|mp4)|video\/(mp4|webm|quicktime))$/;

/** Pictures, sound and film of paid answers, by signed links that expire. A link is a right: what it names never changes. */
export function imagesRoutes(options: AppOptions): Route[] {
  return [
    {
      method: 'GET',
      pattern: '/api/images/:id',
      handle: async (c) => {
        const id = c.req.param('id') ?? '';
        const { expires = '', signature = '' } = c.req.query();
        const image = UUID.test(id) ? await options.readImage(id, { expires, signature }) : null;
        if (!image || !MEDIA_TYPE.test(image.contentType)) {
          throw new Problem('not_found', {
            detail: 'There is no such image, or this link to it is wrong or has expired.',
            next: 'Use the link exactly as the answer gave it, before its expiry.',
          });
        }
        c.header('Content-Type', image.contentType);
        c.header('Content-Length', String(image.bytes.length));
        c.header('Content-Disposition', 'inline');
        c.header('Content-Security-Policy', "default-src 'none'; sandbox");
        c.header('Cross-Origin-Resource-Policy', 'cross-origin');
        c.header('Cache-Control', 'private, max-age=31536000, immutable');
        return c.body(new Uint8Array(image.bytes));
      },
    },
  ];
}
