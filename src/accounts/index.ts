/**
 * Who calls: users (better-auth), their sessions and API keys, and the log of who did what. Wallets that belong to a user will live here too.
 * Invariants: a username is unique, well-formed, not reserved and never changes; an API key is stored only as a hash and
 * never has more rights than who made it; a presented key that is not valid is refused, never taken for nobody;
 * a session cookie counts only for our own origins, and its token stands in no body; no answer tells a stranger whether an
 * address has an account or which username belongs to it, and guesses are counted per address and per name (docs/decisions/0025). Addresses are not verified at sign-up: only
 * ADMIN_EMAILS makes administrators, and they sign up before the server is open to others (docs/decisions/0004).
 */
export { API_KEYS_CHANGED } from './api-key.ts';
export { listAuthRoutes } from './auth-routes.ts';
export { createApiKey } from './create-api-key.ts';
export { getAccount } from './get-account.ts';
export { listApiKeys } from './list-api-keys.ts';
export { listOperators } from './list-operators.ts';
export { openAccounts } from './open-accounts.ts';
export { recordAudit } from './record-audit.ts';
export { revokeApiKey } from './revoke-api-key.ts';
