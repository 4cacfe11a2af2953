/**
 * Secrets at rest: seal, open, rotate. The only reader of the master key and the only place with ciphers; what a secret
 * is for is not known here.
 * Invariants: a value is sealed under a data key of its owner, bound to its table, row, owner, field and data key, and opens
 * nowhere else; no answer, log line or error holds a plaintext; every value opens at any moment of a rotation.
 *
 * Rotating the master key: give every process both keys (`masterKey`, `otherMasterKeys`), run `rotateMasterKey`, then give
 * every process the new one alone. The database records which key is current, so no process falls back to the old one.
 */
export { findCurrentMasterKey } from './find-current-master-key.ts';
export { masterKeyFromText } from './master-key.ts';
export type { MasterKey } from './master-key.ts';
export { openVault } from './open-vault.ts';
export type { Vault } from './open-vault.ts';
export { rotateMasterKey } from './rotate-master-key.ts';
export type { SealContext } from './seal.ts';
export { dropSecret, forgetSecret, openSecret, storeSecret } from './secret.ts';
export { announceChange, onVaultChanged, VAULT_CHANGED } from './vault-changed.ts';
