import { createHash, createHmac, randomBytes } from 'node:crypto';
import { sha256Hex } from '#kit/index.ts';
import type { Vault } from '#vault/index.ts';

/** What one connection is known by (RFC 7636): the state goes through the browser, the verifier never does. */
export interface Attempt {
  state: string;
  stateHash: string;
  verifier: string;
  challenge: string;
}

export function newAttempt(vault: Pick<Vault, 'deriveKey'>): Attempt {
  return toAttempt(vault, randomBytes(32).toString('base64url'));
}

/** The verifier is made from the state with a key of the server: it is stored nowhere, and any process finds it again. */
export function toAttempt(vault: Pick<Vault, 'deriveKey'>, state: string): Attempt {
  const verifier = createHmac('sha256', vault.deriveKey('pkce-verifiers')).update(state).digest('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  return { state, stateHash: sha256Hex(state), verifier, challenge };
}
