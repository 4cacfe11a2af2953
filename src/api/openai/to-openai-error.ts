import { splitPointer } from '#kit/index.ts';
type Members = Readonly<Record<string, unknown>>;

/** Everything below it answers in OpenAI's words. */
export function isOpenaiPath(pathname: string): boolean {
  return pathname === '/v1' || pathname.startsWith('/v1/');
}

/** A problem as the `error` that OpenAI's clients read. Its own members that they do not know are kept beside theirs. */
export function toOpenaiError(problem: Members): Record<string, unknown> {
  const { type: _, title: _title, status, code, detail, next, errors, requestId, ...rest } = problem;
  return {
    message: toMessage({ detail, next, charged: problem['charged'] }),
    type: toType(Number(status)),
    param: toParam(errors),
    code,
    ...rest,
    next,
    ...(errors === undefined ? {} : { errors }),
    request_id: requestId,
  };
}

/** Most programs show nothing but the message, so it says too what to do and whether money moved. */
function toMessage({ detail, next, charged }: { detail: unknown; next: unknown; charged: unknown }): string {
  const text = `${String(detail)} ${String(next)}`;
  const isTold = typeof charged !== 'boolean' || /\bcharge/i.test(text);
  return isTold ? text : `${text} ${charged ? 'You were charged.' : 'Nothing was charged.'}`;
}

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'payment_required',
  403: 'permission_error',
  429: 'rate_limit_error',
};

function toType(status: number): string {
  return types[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
}

/** `/messages/0/content` -> `messages[0].content`. */
function toParam(errors: unknown): string | null {
  const path = (errors as { path: string }[] | undefined)?.[0]?.path ?? '';
  const joined = splitPointer(path)
    .map((segment) => (/^\d+$/.test(segment) ? `[${segment}]` : `.${segment}`))
    .join('');
  return joined === '' ? null : joined.replace(/^\./, '');
}
