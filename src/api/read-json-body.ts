import { isObject, Problem } from '#kit/index.ts';
import { parseJson } from './parse-json.ts';

const BODY_LIMIT_BYTES = 256 * 1024;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json$/;

/** The JSON object in the body; `{}` when there is no body. Everything else is refused with its reason. */
export async function readJsonBody(request: Request): Promise<Record<string, unknown>> {
  const bytes = await readBytes(request);
  if (bytes.length === 0) {
    return {};
  }
  const value = parseJsonBody(bytes, (name) => request.headers.get(name));
  if (!isObject(value)) {
    throw new Problem('invalid_input', {
      detail: 'The body must be a JSON object.',
      fields: [{ path: '', message: 'must be an object' }],
    });
  }
  return value;
}

/** The JSON value of a body that is there. Throws a Problem that says what about it is wrong. */
export function parseJsonBody(
  bytes: Buffer,
  header: (name: string) => string | null,
  options: { keepsDigits?: boolean } = {},
): unknown {
  assertJsonType(header);
  return parseJson(decode(bytes), options);
}

/** GET and HEAD carry their input in the query; a body there would be lost in silence. */
export function assertNoBody(headers: Headers): void {
  if (headers.has('transfer-encoding') || Number(headers.get('content-length') ?? 0) > 0) {
    throw new Problem('invalid_input', { detail: 'A GET request has no body here. Send the input in the query.' });
  }
}

function assertJsonType(header: (name: string) => string | null): void {
  const [type = '', ...parameters] = (header('content-type') ?? '').split(';').map((part) => part.trim());
  const charset = parameters.map((part) => /^charset="?([^"]*)"?$/i.exec(part)?.[1]).find((found) => found);
  if (!JSON_TYPE.test(type.toLowerCase()) || (charset !== undefined && !/^utf-?8$/i.test(charset))) {
    throw new Problem('unsupported_media_type', {
      detail: 'Send the body as JSON in UTF-8, with "Content-Type: application/json".',
      headers: { 'Accept-Post': 'application/json' },
    });
  }
  const encoding = header('content-encoding');
  if (encoding !== null && encoding !== 'identity') {
    throw new Problem('unsupported_media_type', { detail: 'Send the body without Content-Encoding.' });
  }
}

async function readBytes(request: Request): Promise<Buffer> {
  if (Number(request.headers.get('content-length') ?? 0) > BODY_LIMIT_BYTES) {
    throw tooLarge();
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) {
      throw tooLarge();
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(): Problem {
  return new Problem('too_large', {
    detail: `The body is larger than ${BODY_LIMIT_BYTES / 1024} KiB.`,
    headers: { Connection: 'close' },
  });
}

function decode(bytes: Buffer): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Problem('invalid_input', { detail: 'The body is not valid UTF-8.' });
  }
  if (text.startsWith('\ufeff')) {
    throw new Problem('invalid_input', { detail: 'The body begins with a byte order mark. JSON is sent without one.' });
  }
  return text;
}
