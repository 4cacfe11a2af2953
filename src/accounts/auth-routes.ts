import { z } from 'zod';
import { Problem } from '#kit/index.ts';
import { findUsernameFault } from './username.ts';

export const MIN_PASSWORD_LENGTH = 10;
export const MAX_PASSWORD_LENGTH = 128;
const MAX_NAME_LENGTH = 100;
const MAX_EMAIL_LENGTH = 254;
const MAX_IMAGE_LENGTH = 2000;

interface AuthRoute {
  method: 'GET' | 'POST';
  /** What the body may hold, read before better-auth sees it; what comes out is what better-auth is given. */
  body?: z.ZodType<Record<string, unknown>>;
  /** It begins a session and reads none: cookies that come along have no meaning. */
  beginsSession?: boolean;
}

const email = z.email().max(MAX_EMAIL_LENGTH).toLowerCase().describe('An e-mail address.');
const password = z.string().min(1).max(MAX_PASSWORD_LENGTH);
const newPassword = z.string().min(MIN_PASSWORD_LENGTH).max(MAX_PASSWORD_LENGTH).describe('At least 10 characters.');
const image = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }).max(MAX_IMAGE_LENGTH);
const username = z
  .string()
  .toLowerCase()
  .superRefine((name, context) => {
    const fault = findUsernameFault(name);
    if (fault !== null) {
      context.addIssue(fault);
    }
  })
  .describe('3 to 30 lower-case letters, digits and single hyphens. It can never be changed.');
const name = z
  .string()
  .trim()
  .max(MAX_NAME_LENGTH)
  .refine((text) => !/\p{Cc}/u.test(text), 'must not hold control characters')
  .describe('For people; the username unless told.');
const rememberMe = z.boolean().optional();
const nothing = z.strictObject({});

/** What is served of better-auth, under /api/auth. Its other routes need e-mail or another provider, which are not there. */
const routes: Readonly<Record<string, AuthRoute>> = {
  '/sign-up/email': {
    method: 'POST',
    beginsSession: true,
    body: z
      .strictObject({
        email,
        password: newPassword,
        username,
        name: name.optional(),
        image: image.optional(),
      })
      .transform((body) => ({ ...body, name: body.name || body.username })),
  },
  '/sign-in/email': { method: 'POST', beginsSession: true, body: z.strictObject({ email, password, rememberMe }) },
  '/sign-in/username': {
    method: 'POST',
    beginsSession: true,
    body: z.strictObject({ username, password, rememberMe }),
  },
  '/sign-out': { method: 'POST', body: nothing },
  '/change-password': {
    method: 'POST',
    // Whoever changes a password may do so because somebody else knows it: every other session ends.
    body: z
      .strictObject({ currentPassword: password, newPassword, revokeOtherSessions: z.literal(true).optional() })
      .transform((body) => ({ ...body, revokeOtherSessions: true })),
  },
  '/update-user': {
    method: 'POST',
    body: z
      .strictObject({ name: name.min(1), image: image.nullable() })
      .partial()
      .refine((body) => Object.keys(body).length > 0, 'needs a name or an image'),
  },
  '/is-username-available': { method: 'POST', body: z.strictObject({ username }) },
  '/get-session': { method: 'GET' },
  '/list-sessions': { method: 'GET' },
  '/revoke-session': { method: 'POST', body: z.strictObject({ id: z.string().min(1).max(64) }) },
  '/revoke-sessions': { method: 'POST', body: nothing },
  '/revoke-other-sessions': { method: 'POST', body: nothing },
};

/** For documents: every route that is served, under /api/auth. */
export function listAuthRoutes(): { path: string; method: AuthRoute['method']; body: z.ZodType | null }[] {
  return Object.entries(routes).map(([path, { method, body = null }]) => ({ path, method, body }));
}

/** The route of this request. Throws `not_found` or `method_not_allowed`. */
export function getAuthRoute(path: string, method: string): AuthRoute {
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (!route) {
    throw new Problem('not_found', {
      detail: 'Nothing is served at this path.',
      next: `Sign-up and sessions are served at /api/auth${Object.keys(routes).join(', /api/auth')}.`,
    });
  }
  if (route.method !== method) {
    throw new Problem('method_not_allowed', {
      detail: `${method.slice(0, 20)} is not served here; ${route.method} is.`,
      headers: { Allow: `${route.method}, OPTIONS` },
    });
  }
  return route;
}
