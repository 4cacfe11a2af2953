import { toObject, textOf } from '#kit/index.ts';

/** What of a body (or of one event) is the error, in any of the places where upstreams put it; undefined for none. */
export function findError(body: unknown): unknown {
  // Google wraps its errors in a list where a stream was asked for.
  const first: unknown = Array.isArray(body) ? (body as unknown[])[0] : body;
  const given = toObject(first);
  if (!given) {
    return undefined;
  }
  return given['error'] || findBareError(given) || findStatusMessage(given);
}

/** The body of an answer with a status that says that it is an error, whatever it holds. */
export function readErrorBody(text: string): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    // Pages are for people; a line of plain text may say what is wrong.
    return /^\s*</.test(text) ? undefined : text.slice(0, 2_000);
  }
  const error = findError(body);
  if (error) {
    return error;
  }
  const given = toObject(body);
  return given ? { ...given, message: toMessage(given) } : body;
}

/** The error itself is the body: `{"object":"error","message":…}` of vLLM and Mistral. */
function findBareError(given: Record<string, unknown>): unknown {
  const form = given['object'] ?? given['type'];
  const isError = typeof form === 'string' && form.toLowerCase() === 'error';
  return isError ? { ...given, message: toMessage(given) } : undefined;
}

/** MiniMax answers 200 with an empty answer and says beside it what went wrong. */
function findStatusMessage(given: Record<string, unknown>): unknown {
  const status = toObject(given['base_resp']);
  return status?.['status_code'] ? { message: status['status_msg'] } : undefined;
}

/** Texts, and the lists of complaints that FastAPI makes: the field and what is wrong with it. */
function toMessage(given: Record<string, unknown>): string | undefined {
  const found = given['message'] ?? given['detail'] ?? given['msg'];
  if (typeof found === 'string') {
    return found;
  }
  const nested = toObject(found);
  const complaints = Array.isArray(found) ? (found as unknown[]) : nested?.['detail'];
  if (!Array.isArray(complaints)) {
    return undefined;
  }
  return (complaints as unknown[])
    .slice(0, 5)
    .map((complaint) => {
      const { loc, msg } = toObject(complaint) ?? {};
      const field = Array.isArray(loc)
        ? loc
            .filter((part) => part !== 'body')
            .map(textOf)
            .join('.')
        : '';
      return `${field}: ${typeof msg === 'string' ? msg : ''}`;
    })
    .join('; ');
}
