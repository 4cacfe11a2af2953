import { Problem } from '#kit/index.ts';
import type { Database } from '#database/index.ts';
import { CLIENT_ADDRESS_HEADER } from './auth-options.ts';

type Handler = (request: Request) => Promise<Response>;

/** The token of `Authorization: Bearer …`; null when there is none. Other schemes belong to other protocols. */
export function parseBearer(header: string | null): string | null {
  if (header === null) {
    return null;
  }
  const token = /^Bearer +(\S+)$/i.exec(header.trim())?.[1];
  if (token === undefined && /^Bearer\b|fbx_/i.test(header)) {
    throw new Problem('unauthenticated', {
      detail: 'The Authorization header cannot be read.',
      next: 'Send the API key as "Authorization: Bearer fbx_…".',
    });
  }
  return token ?? null;
}

/** Hands the request to better-auth with the peer's address in the one header that it reads it from. */
export async function serveAuth(
  deps: { database: Database; handle: Handler },
  request: Request,
  clientAddress: string | undefined,
): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.delete(CLIENT_ADDRESS_HEADER);
  if (clientAddress !== undefined) {
    headers.set(CLIENT_ADDRESS_HEADER, clientAddress);
  }
  // Built anew from its parts: servers hand over objects that only look like a Request.
  const { url, method } = request;
  const body = method === 'GET' || method === 'HEAD' ? null : await request.text();
  const response = await deps.handle(new Request(url, { method, headers, body }));
  const isSignUp = new URL(url).pathname.endsWith('/sign-up/email');
  return isSignUp && response.status === 422 ? explainLostRace(deps.database, body ?? '', response) : response;
}

/** Two sign-ups at once both find the name free; the unique index stops one, and better-auth only says that it failed. */
async function explainLostRace(database: Database, sent: string, response: Response): Promise<Response> {
  const answer = (await response.clone().json()) as { code?: string };
  if (answer.code !== 'FAILED_TO_CREATE_USER') {
    return response;
  }
  const body = JSON.parse(sent) as Record<string, unknown>;
  const { rows } = await database.system.query<{ username: string }>(
    'SELECT username FROM users WHERE username = lower($1) OR email = lower($2)',
    [String(body['username']), String(body['email'])],
  );
  if (!rows[0]) {
    return response;
  }
  const isName = rows[0].username === String(body['username']).toLowerCase();
  return Response.json(
    isName
      ? { code: 'USERNAME_IS_ALREADY_TAKEN', message: 'Username is already taken. Please try another.' }
      : { code: 'USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL', message: 'User already exists. Use another email.' },
    { status: 422 },
  );
}
