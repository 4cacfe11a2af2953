import type { Caller, Scope, User, Via } from './caller.ts';
import { Problem } from './errors.ts';

/** `public` needs nobody; `session` needs a signed-in person; the rest needs that scope. */
export type Access = 'public' | 'session' | Scope;

const names: Record<Via, string> = {
  session: 'This session',
  api_key: 'This API key',
  wallet: 'This wallet',
  mcp: 'This MCP connection',
  cli: 'This command line',
  system: 'The system',
};

/** Throws `unauthenticated` when nobody is known, and `forbidden` when somebody is who lacks the right; it names the right. */
export function assertScope(access: Access, caller: Caller): void {
  assertKnown(access, caller);
  if (access === 'public' || caller.kind === 'anonymous') {
    return;
  }
  if (access === 'session') {
    assertSession(caller);
  } else if (caller.via !== 'session' && !caller.scopes.includes(access)) {
    throw new Problem('forbidden', {
      detail: `${names[caller.via]} does not have the scope "${access}".`,
      next: 'Sign in, or make an API key that has it: POST /api/user/api-keys in a session.',
    });
  } else if (access === 'admin' && !caller.isAdmin) {
    throw new Problem('forbidden', { detail: 'This needs the right "admin": an administrator\'s account.' });
  }
}

/** The first half of `assertScope`: a request of nobody is refused before anything of it is kept. */
export function assertKnown(access: Access, caller: Caller): void {
  if (access !== 'public') {
    assertUser(caller);
  }
}

/** Throws `unauthenticated` when nobody is known. */
export function assertUser(caller: Caller): asserts caller is User {
  if (caller.kind === 'anonymous') {
    const because = caller.because === undefined ? '' : ` ${caller.because}`;
    throw new Problem('unauthenticated', { detail: `This needs a signed-in user or an API key.${because}` });
  }
}

function assertSession(caller: User): void {
  if (caller.via !== 'session') {
    throw new Problem('forbidden', { detail: `This needs a session: ${names[caller.via]} may not do it.` });
  }
}
