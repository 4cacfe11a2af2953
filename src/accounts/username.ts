import { isUsername, MAX_USERNAME_LENGTH, MIN_USERNAME_LENGTH } from '#kit/index.ts';

/** Names that would read as a part of the site or as its staff in `/@name/…`. */
const reserved = new Set(
  `about account accounts admin administrator anonymous api assets auth billing blog cdn contact creator creators
   dashboard docs everyone execute farebox favicon faucet finance guest health healthz help home images index legal login
   logout mail marketplace mcp me metrics moderator models null official openapi openrouter owner payments platform
   postmaster pricing privacy public readyz register resource resources root robots sandbox security settings
   signin signout signup sitemap staff static status superuser support system terms test undefined usage user users
   vault wallet webhook webhooks webmaster well-known www x402`.split(/\s+/),
);

/** May somebody sign up under this name? It has the form of a username and is not reserved. */
export function isAllowedUsername(username: string): boolean {
  return findUsernameFault(username) === null;
}

/** Why nobody may sign up under this name, in words that follow the name of the field; null: somebody may. */
export function findUsernameFault(username: string): string | null {
  if (!isUsername(username)) {
    return `must be ${MIN_USERNAME_LENGTH} to ${MAX_USERNAME_LENGTH} letters (a to z) and digits, with single hyphens between them`;
  }
  return reserved.has(username) ? 'is reserved; choose another' : null;
}
