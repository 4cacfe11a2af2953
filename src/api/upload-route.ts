import { Problem, takeUnit, toNetwork } from '#kit/index.ts';
import { answerJson } from './answer-json.ts';
import type { Route } from './mount-routes.ts';
import type { AppContext } from './request-context.ts';
import type { AppOptions } from './server-options.ts';

/** Takes a file that a later call may name by its id: its bytes are the body, whoever sends it. */
export function uploadRoutes(options: AppOptions): Route[] {
  return [
    {
      method: 'POST',
      pattern: '/api/uploads',
      handle: async (c) => {
        const sender = toNetwork(c.get('clientAddress'));
        await takeUnit(options.limits?.uploads, sender);
        assertPlainBody(c);
        const body = await options.takeUpload({
          stream: (c.req.raw.body ?? []) as AsyncIterable<Uint8Array>,
          declaredBytes: readLength(c),
          contentType: c.req.header('content-type'),
          sender,
        });
        c.header('Cache-Control', 'no-store');
        return answerJson(c, { status: 201, body });
      },
    },
  ];
}

function assertPlainBody(c: AppContext): void {
  const isForm = /^(multipart\/|application\/x-www-form-urlencoded)/i.test(c.req.header('content-type') ?? '');
  const encoding = c.req.header('content-encoding');
  if (isForm || (encoding !== undefined && encoding !== 'identity')) {
    throw new Problem('unsupported_media_type', {
      detail: isForm ? 'The body is a form.' : 'The body has a Content-Encoding.',
      next: 'Send the bytes of the file itself as the body, with its own Content-Type.',
      headers: { Connection: 'close' },
    });
  }
}

/** Absent where the body comes in chunks. */
function readLength(c: AppContext): number | undefined {
  if (c.req.header('transfer-encoding') !== undefined) {
    return undefined;
  }
  return Number(c.req.header('content-length') ?? 0);
}
