import { setTimeout as wait } from 'node:timers/promises';
import { isObject, parseWith, textOf } from '#kit/index.ts';
import type { Database } from '#database/index.ts';
import { CLIENT_ADDRESS_HEADER } from './auth-options.ts';
import { getAuthRoute } from './auth-routes.ts';
import { endOtherSessions, endSession } from './end-sessions.ts';
import { findCredential } from './find-credential.ts';
import type { KnownClients } from './known-client.ts';
import type { SignInLimits } from './limit-sign-in.ts';
import { assertOwnPage } from './own-origins.ts';
import { refusalToProblem, toProblem, usernameTaken, wrongCredentials } from './to-problem.ts';

export interface AuthRequest {
  request: Request;
  /** The JSON object in the body of a POST, read already. */
  body: unknown;
  /** The peer's IP address, for limits; headers cannot set it. */
  clientAddress: string | undefined;
}

interface Deps {
  database: Database;
  /** better-auth. */
  handle(request: Request): Promise<Response>;
  origins: ReadonlySet<string>;
  /** The session whose cookie is in the headers. */
  findSession(headers: Headers): Promise<{ id: string; userId: string } | null>;
  limits: SignInLimits;
  knownClients: KnownClients;
}

/** What better-auth is given: the body has passed the route's schema. */
interface Inner {
  path: string;
  body: Record<string, unknown>;
  sent: AuthRequest;
  beginsSession: boolean;
}

const BASE_PATH = '/api/auth';

/** Answers to sign-ups leave in steps of this time: what making an account takes longer than making none is lost in it. */
const SIGN_UP_STEP_MS = 250;

/** Serves sign-up, sign-in and sessions by better-auth. No answer holds a session's token: the cookie alone does. Throws a Problem where it refuses. */
export async function serveAuth(deps: Deps, sent: AuthRequest): Promise<Response> {
  const { method, url, headers } = sent.request;
  const path = new URL(url).pathname.slice(BASE_PATH.length);
  const route = getAuthRoute(path, method);
  const beginsSession = route.beginsSession ?? false;
  if (method === 'POST') {
    assertOwnPage({ headers, beginsSession }, deps.origins);
  }
  const body = route.body ? parseWith(route.body, sent.body) : {};
  const inner = { path, body, sent, beginsSession };
  switch (path) {
    case '/sign-up/email':
      return signUp(deps, inner);
    case '/sign-in/email':
    case '/sign-in/username':
      return signIn(deps, inner);
    case '/revoke-session':
      return toAnswer(await ask(deps, { ...inner, body: { token: await findToken(deps, textOf(body['id'])) } }));
    case '/change-password':
      return changePassword(deps, inner);
    default:
      return toAnswer(await ask(deps, inner));
  }
}

/**
 * Answers alike, in words and time, whether the address was free or has an account, and begins no session in either case
 * (docs/decisions/0025). That a username is taken may be told: usernames are public.
 */
async function signUp(deps: Deps, inner: Inner): Promise<Response> {
  const { email, username, name } = inner.body;
  const startedAt = performance.now();
  const response = await ask(deps, inner);
  if (!response.ok) {
    await assertOnlyAddressTaken(deps, { response, username });
  }
  await wait(SIGN_UP_STEP_MS - ((performance.now() - startedAt) % SIGN_UP_STEP_MS));
  const next = `Sign in with this address and password: POST ${BASE_PATH}/sign-in/email.`;
  return Response.json({ user: { email, username, name }, next }, { headers: { 'Cache-Control': 'no-store' } });
}

/** Two sign-ups at once both find name and address free; the unique index stops one, and better-auth only says that it failed. */
async function assertOnlyAddressTaken(
  { database }: Deps,
  { response, username }: { response: Response; username: unknown },
): Promise<void> {
  const code = await readCode(response);
  if (code === 'FAILED_TO_CREATE_USER') {
    const { rows } = await database.system.query('SELECT 1 FROM users WHERE username = $1', [username]);
    if (rows.length === 0) {
      return;
    }
    throw toProblem(usernameTaken);
  }
  throw refusalToProblem({ status: response.status, code, headers: response.headers });
}

/**
 * better-auth verifies the password, and begins the session in a statement of its own. Where the password was changed
 * between the two, the change may have ended the sessions before this one began, so it ends here (see `changePassword`).
 */
async function signIn(deps: Deps, inner: Inner): Promise<Response> {
  const { request, clientAddress } = inner.sent;
  const by = toIdentifier(inner.body);
  const credential = await findCredential(deps.database, by);
  const knownClient = credential && deps.knownClients.find(request.headers.get('cookie'), credential);
  const giveBack = await deps.limits.take({ identifier: by.join(':'), clientAddress, knownClient });
  const response = await ask(deps, inner);
  const token = await readToken(response);
  const answer = await toAnswer(response);
  const current = await findCredential(deps.database, by);
  if (credential === null || credential.passwordHash !== current?.passwordHash) {
    await endSession(deps.database, token);
    throw toProblem(wrongCredentials);
  }
  await giveBack();
  answer.headers.append('Set-Cookie', deps.knownClients.toCookie(credential, knownClient));
  return answer;
}

/**
 * Who holds a session may not guess the password behind it either: counted for this session, so that it holds up no other.
 * better-auth ends the other sessions before the new password stands; those that a sign-in with the old one began
 * meanwhile are ended here.
 */
async function changePassword(deps: Deps, inner: Inner): Promise<Response> {
  const { request, clientAddress } = inner.sent;
  const session = await deps.findSession(request.headers);
  const giveBack =
    session === null ? null : await deps.limits.take({ identifier: 'session', clientAddress, knownClient: session.id });
  const response = await ask(deps, inner);
  const token = await readToken(response);
  const answer = await toAnswer(response, {
    next: 'Every other session has ended. API keys go on working: revoke those that you do not know (DELETE /api/user/api-keys/:id).',
  });
  if (session !== null) {
    await endOtherSessions(deps.database, session.userId, token);
    const credential = await findCredential(deps.database, ['id', session.userId]);
    if (credential !== null) {
      answer.headers.append('Set-Cookie', deps.knownClients.toCookie(credential));
    }
  }
  await giveBack?.();
  return answer;
}

/** What the body signs in by. */
function toIdentifier({ email, username }: Record<string, unknown>): ['email' | 'username', unknown] {
  return typeof email === 'string' ? ['email', email] : ['username', username];
}

/** Of the session that better-auth has begun; empty where it refused. */
async function readToken(response: Response): Promise<string> {
  const answer = (await response
    .clone()
    .json()
    .catch(() => null)) as { token?: unknown } | null;
  return typeof answer?.token === 'string' ? answer.token : '';
}

/** better-auth names sessions by their tokens, and no answer of ours holds one. It checks itself whose session it is. */
async function findToken({ database }: Deps, id: string): Promise<string> {
  const { rows } = await database.system.query<{ token: string }>('SELECT token FROM sessions WHERE id = $1', [id]);
  return rows[0]?.token ?? '';
}

/** Asks better-auth, with the peer's address in the one header that it reads it from. */
function ask({ handle }: Deps, { body, sent, beginsSession }: Inner): Promise<Response> {
  const { method, url } = sent.request;
  const headers = new Headers(sent.request.headers);
  headers.delete(CLIENT_ADDRESS_HEADER);
  headers.delete('content-length');
  if (sent.clientAddress !== undefined) {
    headers.set(CLIENT_ADDRESS_HEADER, sent.clientAddress);
  }
  if (beginsSession) {
    // Node's fetch says "Sec-Fetch-Mode: cors" and no Origin, which better-auth takes for a browser; `assertOwnPage` has judged it.
    ['cookie', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'].forEach((name) => headers.delete(name));
  }
  if (method === 'GET') {
    return handle(new Request(url, { method, headers }));
  }
  headers.set('content-type', 'application/json');
  return handle(new Request(url, { method, headers, body: JSON.stringify(body) }));
}

/** What better-auth answered, without the tokens of sessions. Throws its refusals as Problems. */
async function toAnswer(response: Response, more: Record<string, string> = {}): Promise<Response> {
  if (!response.ok) {
    throw refusalToProblem({ status: response.status, code: await readCode(response), headers: response.headers });
  }
  const told: unknown = JSON.parse(await response.text(), (key, value: unknown) =>
    key === 'token' ? undefined : value,
  );
  const headers = new Headers({ 'Cache-Control': 'no-store' });
  for (const cookie of response.headers.getSetCookie()) {
    headers.append('Set-Cookie', cookie);
  }
  return Response.json(isObject(told) ? { ...told, ...more } : told, { headers });
}

async function readCode(response: Response): Promise<string> {
  const answer = (await response.json().catch(() => null)) as { code?: unknown } | null;
  return typeof answer?.code === 'string' ? answer.code : 'UNKNOWN';
}
