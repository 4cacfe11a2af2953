import { Problem, type ProblemCode } from '#kit/index.ts';

interface Told {
  code: ProblemCode;
  detail: string;
  next?: string;
  /** JSON Pointer of the field that is at fault, and what is wrong with it. */
  field?: [path: string, message: string];
}

/** Never says which of the two it was, nor whether there is such an account. */
export const wrongCredentials: Told = {
  code: 'unauthenticated',
  detail: 'The name or address and the password do not belong together.',
  next: 'Check both. An address that had an account already keeps its password: signing up with it again changes nothing.',
};

const signInFirst: Told = {
  code: 'unauthenticated',
  detail: 'This needs a session that is signed in.',
  next: 'Sign in at /api/auth/sign-in/email and send the cookie of its answer.',
};

export const usernameTaken: Told = {
  code: 'conflict',
  detail: 'This username is taken.',
  next: 'Choose another username.',
  field: ['/username', 'is taken'],
};

/** Codes of better-auth's refusals that are left once the request has passed the schemas of auth-routes.ts. */
const told: Readonly<Record<string, Told>> = {
  INVALID_EMAIL_OR_PASSWORD: wrongCredentials,
  INVALID_USERNAME_OR_PASSWORD: wrongCredentials,
  USERNAME_IS_ALREADY_TAKEN: usernameTaken,
  INVALID_PASSWORD: {
    code: 'invalid_input',
    detail: '/currentPassword: is not the password of this account.',
    field: ['/currentPassword', 'is not the password of this account'],
  },
  UNAUTHORIZED: signInFirst,
  SESSION_EXPIRED: signInFirst,
};

export function toProblem({ field, code, ...rest }: Told): Problem {
  const fields = field ? [{ path: field[0], message: field[1] }] : [];
  return new Problem(code, { ...rest, fields });
}

interface Refusal {
  status: number;
  /** Of better-auth; absent in some of its answers. */
  code: string;
  headers: Headers;
}

/** A refusal of better-auth as one of ours. What it could not carry out is no Problem but an error, which is logged. */
export function refusalToProblem({ status, code, headers }: Refusal): Error {
  if (status === 429) {
    const seconds = Number(headers.get('x-retry-after') ?? 60);
    return new Problem('rate_limited', {
      detail: `Too many requests from this address. Try again in ${seconds} seconds.`,
      headers: { 'Retry-After': String(seconds) },
    });
  }
  const found = told[code] ?? (status === 401 ? signInFirst : undefined);
  if (found) {
    return toProblem(found);
  }
  // All that is left to better-auth to forbid is what another site's page sent.
  return status === 403
    ? new Problem('forbidden', { detail: "The Origin or Referer header of the request is not this site's." })
    : new Error(`better-auth answered ${status} ${code}`);
}
