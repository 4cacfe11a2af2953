import { Problem, type Caller, type User } from '#kit/index.ts';

/** Throws `unauthenticated` unless somebody is signed in. */
export function assertUser(caller: Caller): asserts caller is User {
  if (caller.kind !== 'user') {
    throw new Problem('unauthenticated', { detail: 'This needs a signed-in user or an API key.' });
  }
}
