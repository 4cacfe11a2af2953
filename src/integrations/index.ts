/**
 * What an account connects: keys of providers, one table a service and the same operations for all of them.
 * Invariants: a key is stored sealed, and no answer, log line or error tells it; it is checked with its provider before
 * it is stored; each change is announced inside its own transaction, so that what depends on the key is paused when the
 * key goes, or the key stays; who listens is not known here (docs/decisions/0017).
 */
export { beginConnect, callbackPath } from './begin-connect.ts';
export type { ConnectDeps } from './begin-connect.ts';
export { checkKey, checkKeys } from './check-keys.ts';
export { dependent, openChanges } from './changes.ts';
export type { ChangeListener, Dependent, IntegrationChange, Reaction } from './changes.ts';
export type { IntegrationDeps } from './integration.ts';
export type { IntegrationService, ProviderAnswer, ServiceName } from './integration-service.ts';
export { getPlatformShare } from './get-platform-share.ts';
export type { PlatformShareDeps } from './get-platform-share.ts';
export { discord, toDiscordWebhook } from './discord.ts';
export { finishConnect } from './finish-connect.ts';
export { listIntegrations } from './list-integrations.ts';
export { listBalances } from './list-balances.ts';
export { listConnected, openConnection } from './open-connection.ts';
export { explainMissingKey, openKey } from './open-key.ts';
export { openPlatformBudget } from './open-platform-budget.ts';
export { openPlatformHealth } from './open-platform-health.ts';
export { openRouter } from './openrouter.ts';
export { refuseKey } from './refuse-key.ts';
export { telegram } from './telegram.ts';
export { toOperations } from './to-operations.ts';
