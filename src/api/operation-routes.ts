import { Readable } from 'node:stream';
import { anonymous, callOperation, type BoundOperation, type Caller, type Source } from '#kit/index.ts';
import { toAliases } from './aliases.ts';
import { answerJson } from './answer-json.ts';
import { assertOwnChange } from './cross-origin.ts';
import type { Route } from './mount-routes.ts';
import { readInput } from './read-input.ts';
import type { AppContext } from './request-context.ts';
import type { AppOptions } from './server-options.ts';

const SHARED = 'public, max-age=10';
const PRIVATE = 'private, no-cache';

/** A route for each operation: reads the request, calls the operation and formats what comes back. */
export function operationRoutes(options: AppOptions, origins: ReadonlySet<string>): Route[] {
  return [...options.operations, ...toAliases(options.operations)].map((operation) => {
    const [method = '', pattern = ''] = operation.route.split(' ');
    return { method, pattern, handle: (c) => serve({ options, origins, operation }, c) };
  });
}

/** Where a request came from. */
export function toSource(c: AppContext): Source {
  return { surface: 'http', requestId: c.get('requestId'), clientAddress: c.get('clientAddress') };
}

interface Served {
  options: AppOptions;
  origins: ReadonlySet<string>;
  operation: BoundOperation;
}

async function serve({ options, origins, operation }: Served, c: AppContext): Promise<Response> {
  let caller: Caller = anonymous;
  const output = await callOperation(options.ports, operation, {
    caller: async () => {
      caller = await options.authenticate(c.req.raw.headers);
      return caller;
    },
    assertCaller: (known) => assertOwnChange(c, known, origins),
    input: () => readInput(c),
    source: toSource(c),
    ids: c.req.param(),
  });
  const status = operation.status ?? 200;
  if (operation.file) {
    return answerFile(c, { options, file: operation.file, content: output as Readable });
  }
  if (!operation.route.startsWith('GET ')) {
    return answerJson(c, { body: output, status });
  }
  const isShared = operation.scope === 'public' && caller.kind === 'anonymous';
  c.header('Vary', 'Authorization, Cookie', { append: true });
  return answerJson(c, { body: output, status, cacheControl: isShared ? SHARED : PRIVATE });
}

interface FileAnswer {
  options: AppOptions;
  file: NonNullable<BoundOperation['file']>;
  content: Readable;
}

/** Streamed. A failure on the way breaks the connection, so that half a file never looks whole. */
function answerFile(c: AppContext, { options, file, content }: FileAnswer): Response {
  c.header('Content-Type', file.contentType);
  c.header('Content-Disposition', `attachment; filename="${file.fileName}"`);
  content.on('error', (error) => {
    options.log.error({ err: error, requestId: c.get('requestId') }, 'a file could not be streamed to its end');
  });
  if (c.req.method === 'HEAD') {
    content.destroy();
    return c.body(null);
  }
  return c.body(Readable.toWeb(content) as ReadableStream<Uint8Array>);
}
