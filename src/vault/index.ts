/**
 * Secrets at rest: seal, open, rotate; OpenRouter keys of creators and upstream keys of resources. The only reader of the
 * master key and the only place with ciphers.
 * Invariants: a value is sealed under a data key of its owner, bound to its table, row, owner, field and data key, and opens
 * nowhere else; no answer, log line or error holds a plaintext; every value opens at any moment of a rotation; what depends
 * on a key is paused before the key goes.
 *
 * Rotating the master key: give every process both keys (`masterKey`, `otherMasterKeys`), run `rotateMasterKey`, then give
 * every process the new one alone. The database records which key is current, so no process falls back to the old one.
 */
export { openCreatorKey } from './creator-key.ts';
export { deleteOpenrouter } from './delete-openrouter.ts';
export { deleteResourceSecret } from './delete-resource-secret.ts';
export { findCurrentMasterKey } from './find-current-master-key.ts';
export { getOpenrouter } from './get-openrouter.ts';
export { listAffected } from './list-affected.ts';
export { masterKeyFromText } from './master-key.ts';
export type { MasterKey } from './master-key.ts';
export { openVault } from './open-vault.ts';
export type { Vault } from './open-vault.ts';
export type { AffectedResource, IntegrationDeps, KeyCheck } from './openrouter-integration.ts';
export { putOpenrouter } from './put-openrouter.ts';
export { putResourceSecret } from './put-resource-secret.ts';
export type { ResourceSecretDeps } from './owned-secret-place.ts';
export { refuseCreatorKey } from './refuse-creator-key.ts';
export { openResourceSecret } from './resource-secret.ts';
export { rotateMasterKey } from './rotate-master-key.ts';
export { testOpenrouter } from './test-openrouter.ts';
export { updateOpenrouter } from './update-openrouter.ts';
export { onVaultChanged, VAULT_CHANGED } from './vault-changed.ts';
