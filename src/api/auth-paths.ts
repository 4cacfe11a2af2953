import { problemResponses } from './problem-responses.ts';

type JsonObject = Record<string, unknown>;

const text = (description: string, more: JsonObject = {}): JsonObject => ({ type: 'string', description, ...more });
const password = text('At least 10 characters.', { format: 'password', minLength: 10, maxLength: 128 });
const email = text('An e-mail address.', { format: 'email', maxLength: 254 });

const account = {
  type: 'object',
  required: ['email', 'username', 'name'],
  properties: { email, username: text('As it stands in the URLs of resources.'), name: text('For people.') },
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

interface AuthRoute {
  name: string;
  summary: string;
  body?: { required: readonly string[]; properties: JsonObject; example: JsonObject };
  /** Properties of the answer. */
  answer: JsonObject;
  beginsSession?: boolean;
  needsSession?: boolean;
}

function toPathItem(method: 'get' | 'post', route: AuthRoute): Record<string, unknown> {
  const { body, answer } = route;
  const schema = body && { type: 'object', required: body.required, properties: body.properties };
  return {
    [method]: {
      operationId: `auth.${route.name}`,
      tags: ['auth'],
      summary: route.summary,
      security: route.needsSession ? [{ session: [] }] : [],
      ...(body
        ? { requestBody: { required: true, content: { 'application/json': { schema, example: body.example } } } }
        : {}),
      responses: {
        ...refusals,
        200: {
          description: 'Done.',
          content: { 'application/json': { schema: { type: 'object', properties: answer } } },
          ...(route.beginsSession ? { headers: session } : {}),
        },
      },
    },
  };
}

const ada = { email: 'ada@example.com', password: 'a long sentence of yours' };

/** Sign-up, sign-in and sessions, as OpenAPI path items. Programs do better with an API key. */
export const authPaths: Record<string, Record<string, unknown>> = {
  '/api/auth/sign-up/email': toPathItem('post', {
    name: 'sign_up',
    summary: 'Make an account. Sign in next.',
    body: {
      required: ['email', 'password', 'username'],
      properties: {
        email,
        password,
        username: text('3 to 30 lower-case letters, digits and single hyphens. It can never be changed.', {
          minLength: 3,
          maxLength: 30,
        }),
        name: text('For people; the username unless told.', { maxLength: 100 }),
      },
      example: { ...ada, username: 'ada', name: 'Ada' },
    },
    answer: { user: account },
  }),
  '/api/auth/sign-in/email': toPathItem('post', {
    name: 'sign_in',
    summary: 'Begin a session: the answer sets its cookie.',
    body: { required: ['email', 'password'], properties: { email, password }, example: ada },
    answer: { user: account },
    beginsSession: true,
  }),
  '/api/auth/sign-out': toPathItem('post', {
    name: 'sign_out',
    summary: 'End the session.',
    answer: { success: { type: 'boolean' } },
    needsSession: true,
  }),
  '/api/auth/get-session': toPathItem('get', {
    name: 'get_session',
    summary: 'Who is signed in; null where nobody is.',
    answer: { user: account, session: { type: 'object', properties: { expiresAt: text('When it ends.') } } },
    needsSession: true,
  }),
  '/api/auth/change-password': toPathItem('post', {
    name: 'change_password',
    summary: 'Change the password.',
    body: {
      required: ['currentPassword', 'newPassword'],
      properties: { currentPassword: password, newPassword: password },
      example: { currentPassword: ada.password, newPassword: 'another long sentence' },
    },
    answer: { user: account },
    needsSession: true,
  }),
};
