const USERNAME_PATTERN = /^[a-z0-9](-?[a-z0-9])*$/;

/** Names that would read as a part of the site or as its staff in `/@name/…`. */
const reserved = new Set(
  `about account accounts admin administrator anonymous api assets auth billing blog cdn contact creator creators
   dashboard docs everyone execute farebox favicon faucet finance guest health healthz help home images index legal login
   logout mail marketplace mcp me metrics moderator models null official openapi openrouter owner payments platform
   postmaster pricing privacy public readyz register resource resources root robots sandbox security settings
   signin signout signup sitemap staff static status superuser support system terms test undefined usage user users
   vault wallet webhook webhooks webmaster well-known www x402`.split(/\s+/),
);

/** The `@creator` of a resource's URL: lower case, 3 to 30 characters, single inner hyphens, not reserved. */
export function isAllowedUsername(username: string): boolean {
  return username.length >= 3 && username.length <= 30 && USERNAME_PATTERN.test(username) && !reserved.has(username);
}
