import { z } from 'zod';
import { listAuthRoutes } from '#accounts/index.ts';
import { problemResponses } from './problem-responses.ts';

type JsonObject = Record<string, unknown>;

const text = (description: string, more: JsonObject = {}): JsonObject => ({ type: 'string', description, ...more });
const account = {
  type: 'object',
  required: ['email', 'username', 'name'],
  properties: {
    email: text('An e-mail address.'),
    username: text('As it stands in the URLs of resources.'),
    name: text('For people.'),
  },
};

const session = {
  'Set-Cookie': {
    description: 'The session. Send the cookie back; a change under a session also needs this site’s Origin.',
    schema: { type: 'string' },
  },
};

const refusals = problemResponses([
  'invalid_input',
  'unauthenticated',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'conflict',
  'too_large',
  'unsupported_media_type',
  'rate_limited',
  'internal',
]);

interface AuthText {
  name: string;
  summary: string;
  example?: JsonObject;
  /** What a 200 holds. */
  answer: JsonObject;
  beginsSession?: boolean;
  needsSession?: boolean;
}

const done = { type: 'object', properties: { status: { type: 'boolean' } } };
const next = text('What to do next.');
const withAccount = { type: 'object', required: ['user'], properties: { user: account } };
const withNext = { type: 'object', required: ['user', 'next'], properties: { user: account, next } };
const oneSession = {
  type: 'object',
  properties: { id: text('To end it by.'), expiresAt: text('When it ends.'), userAgent: text('Who began it.') },
};
const ada = { email: 'ada@example.com', password: 'a long sentence of yours' };

/** By their paths under /api/auth; what they are sent is in the accounts' own schemas. */
const texts: Record<string, AuthText> = {
  '/sign-up/email': {
    name: 'sign_up',
    summary: 'Make an account. Sign in next.',
    example: { ...ada, username: 'ada', name: 'Ada' },
    answer: withNext,
  },
  '/sign-in/email': {
    name: 'sign_in',
    summary: 'Begin a session: the answer sets its cookie.',
    example: ada,
    answer: withAccount,
    beginsSession: true,
  },
  '/sign-in/username': {
    name: 'sign_in_by_username',
    summary: 'The same by username.',
    example: { username: 'ada', password: ada.password },
    answer: withAccount,
    beginsSession: true,
  },
  '/sign-out': {
    name: 'sign_out',
    summary: 'End the session.',
    answer: { type: 'object', properties: { success: { type: 'boolean' } } },
    needsSession: true,
  },
  '/change-password': {
    name: 'change_password',
    summary: 'Change the password. All other sessions end; API keys go on.',
    example: { currentPassword: ada.password, newPassword: 'another long sentence' },
    answer: withNext,
    needsSession: true,
  },
  '/update-user': {
    name: 'update_user',
    summary: 'Change the name or the image.',
    example: { name: 'Ada L.' },
    answer: done,
    needsSession: true,
  },
  '/is-username-available': {
    name: 'is_username_available',
    summary: 'Is a username free?',
    example: { username: 'ada' },
    answer: { type: 'object', properties: { available: { type: 'boolean' } } },
  },
  '/get-session': {
    name: 'get_session',
    summary: 'Who is signed in; null where nobody is.',
    answer: { type: ['object', 'null'], properties: { user: account, session: oneSession } },
    needsSession: true,
  },
  '/list-sessions': {
    name: 'list_sessions',
    summary: 'Your sessions.',
    answer: { type: 'array', items: oneSession },
    needsSession: true,
  },
  '/revoke-session': {
    name: 'revoke_session',
    summary: 'End one of your sessions.',
    example: { id: 'its id' },
    answer: done,
    needsSession: true,
  },
  '/revoke-sessions': {
    name: 'revoke_sessions',
    summary: 'End all of your sessions.',
    answer: done,
    needsSession: true,
  },
  '/revoke-other-sessions': {
    name: 'revoke_other_sessions',
    summary: 'End all of your sessions but this one.',
    answer: done,
    needsSession: true,
  },
};

/** Sign-up, sign-in and sessions, as OpenAPI path items. Programs do better with an API key. */
export function toAuthPaths(): Record<string, Record<string, unknown>> {
  return Object.fromEntries(
    listAuthRoutes().map(({ path, method, body }) => {
      const told = texts[path];
      if (!told) {
        throw new Error(`${path} of the accounts has no text here.`);
      }
      return [`/api/auth${path}`, { [method.toLowerCase()]: toOperation(told, body) }];
    }),
  );
}

function toOperation(told: AuthText, body: z.ZodType | null): JsonObject {
  return {
    operationId: `auth.${told.name}`,
    tags: ['auth'],
    summary: told.summary,
    security: told.needsSession ? [{ session: [] }] : [],
    ...(body && told.example ? { requestBody: toRequestBody(body, told.example) } : {}),
    responses: {
      ...refusals,
      200: {
        description: 'Done.',
        content: { 'application/json': { schema: told.answer } },
        ...(told.beginsSession ? { headers: session } : {}),
      },
    },
  };
}

function toRequestBody(body: z.ZodType, example: JsonObject): JsonObject {
  const { $schema: _, ...schema } = z.toJSONSchema(body, { io: 'input' });
  return { required: true, content: { 'application/json': { schema, example } } };
}
