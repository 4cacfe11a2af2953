import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, type Caller } from '#kit/index.ts';
import type { OpenRouterClient } from '#upstreams/index.ts';
import type { IntegrationDeps } from './integration.ts';
import { openRouter } from './openrouter.ts';
import { newAttempt } from './pkce.ts';

export interface ConnectDeps extends IntegrationDeps {
  /** The provider's side of the connection. */
  consent: Pick<OpenRouterClient, 'toConsentUrl' | 'exchangeCode'>;
  publicUrl: string;
}

/** Where the browser comes back to. */
export const callbackPath = `/api/integrations/${openRouter.name}/callback`;

const OPEN_MS = 600_000;
const MOST_OPEN = 10;

/** For a session alone: `finishConnect` is reached by the browser that began. */
export const beginConnect = operation({
  name: `integrations.${openRouter.name}.connect`,
  route: `POST /api/user/integrations/${openRouter.name}/connect`,
  summary:
    'Connect OpenRouter without a key at hand: open authorizationUrl in this browser, set a budget for the key there and approve.',
  scope: 'session',
  input: z.strictObject({}),
  output: z.object({
    authorizationUrl: z.string().describe('The page of OpenRouter on which the key is granted.'),
    expiresAt: z.string().describe('Until then the way back is open, once.'),
  }),
  run: async (deps: ConnectDeps & InTransaction, caller: Caller) => {
    assertUser(caller);
    const { vault, consent, publicUrl, tx, asSystem } = deps;
    const attempt = newAttempt(vault);
    const [now, expiresAt] = [new Date(vault.clock.now()), new Date(vault.clock.now() + OPEN_MS)];
    await asSystem((system) => system.query('DELETE FROM integration_connects WHERE expires_at <= $1', [now]));
    await tx.query(
      `DELETE FROM integration_connects WHERE state_hash IN (
         SELECT state_hash FROM integration_connects WHERE owner_id = $1 ORDER BY expires_at DESC OFFSET $2)`,
      [caller.userId, MOST_OPEN - 1],
    );
    await tx.query(
      'INSERT INTO integration_connects (state_hash, owner_id, service, expires_at) VALUES ($1, $2, $3, $4)',
      [attempt.stateHash, caller.userId, openRouter.name, expiresAt],
    );
    const callbackUrl = `${publicUrl}${callbackPath}?state=${attempt.state}`;
    const { challenge } = attempt;
    return { authorizationUrl: consent.toConsentUrl({ callbackUrl, challenge }), expiresAt: expiresAt.toISOString() };
  },
});
