import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { assertUser, operation, Problem, type Caller } from '#kit/index.ts';
import type { ConnectDeps } from './begin-connect.ts';
import { assertGood, checkGiven } from './check-given.ts';
import { toViewSchema } from './integration.ts';
import { openRouter } from './openrouter.ts';
import { toAttempt } from './pkce.ts';
import { connectKey, type GoodKey } from './put-integration.ts';

type Shown = ReturnType<typeof openRouter.shown.parse>;
const RETRY_AFTER_MS = [250, 750];

type Granted = GoodKey<Shown> & { apiKey: string };

/**
 * The way back from the consent page. The state is taken first, and once: in whichever process, only for the account that
 * began, and also where nothing comes of it. The key is checked and stored like one that was pasted.
 */
export const finishConnect = operation({
  name: `integrations.${openRouter.name}.connect.finish`,
  route: `POST /api/user/integrations/${openRouter.name}/connect/finish`,
  summary: 'Redeem what the page of OpenRouter sent back: checks the new key and stores it encrypted.',
  scope: 'session',
  input: z.strictObject({
    state: z.string().max(200),
    code: z.string().min(1).max(2_000).optional().describe('Absent where the key was not granted.'),
  }),
  output: toViewSchema<Shown, 'resumed'>(openRouter, ['resumed']),
  problems: ['gone', 'unprocessable', 'unavailable'],
  prepare: async (deps: ConnectDeps, caller, { state, code }): Promise<Granted> => {
    assertUser(caller);
    await takeState(deps, caller.userId, state);
    if (code === undefined) {
      throw new Problem('unprocessable', { detail: 'No key was granted; nothing was changed.', next: 'Begin again.' });
    }
    const { verifier } = toAttempt(deps.vault, state);
    const exchanged = await deps.consent.exchangeCode({ code, verifier });
    if (!exchanged.ok) {
      throw exchanged.reason === 'refused'
        ? new Problem('unprocessable', { detail: 'OpenRouter does not know this code.', next: 'Begin again.' })
        : new Problem('unavailable', { detail: 'OpenRouter could not be asked for the key.', next: 'Begin again.' });
    }
    const { apiKey } = exchanged;
    return { ...(await checkNewKey(deps, apiKey)), apiKey };
  },
  run: async (deps: ConnectDeps & InTransaction<Granted>, caller: Caller) => {
    assertUser(caller);
    const { apiKey, ...good } = deps.prepared;
    return connectKey(deps, openRouter, { ownerId: caller.userId, key: apiKey, isEnabled: true, good });
  },
});

/**
 * The code is used up, so a key that is thrown away here lives on at the provider: an answer that says nothing of the
 * key is asked for again. The last one is told.
 */
async function checkNewKey(deps: ConnectDeps, apiKey: string): Promise<GoodKey<Shown>> {
  let checked = await checkGiven(deps, openRouter, { apiKey });
  for (const waitMs of RETRY_AFTER_MS) {
    if (checked.verdict !== 'unclear') {
      break;
    }
    await wait(waitMs);
    checked = await checkGiven(deps, openRouter, { apiKey });
  }
  return assertGood(openRouter, checked);
}

async function takeState({ vault }: ConnectDeps, ownerId: string, state: string): Promise<void> {
  const { stateHash } = toAttempt(vault, state);
  const isOpen = await vault.database.asUser(ownerId, async (tx) => {
    const { rows } = await tx.query<{ expires_at: Date }>(
      'DELETE FROM integration_connects WHERE state_hash = $1 AND owner_id = $2 AND service = $3 RETURNING expires_at',
      [stateHash, ownerId, openRouter.name],
    );
    return (rows[0]?.expires_at.getTime() ?? 0) > vault.clock.now();
  });
  if (!isOpen) {
    throw new Problem('gone', {
      detail: 'This connection was finished before, has run out, or was begun by another account.',
      next: 'Begin again.',
    });
  }
}
