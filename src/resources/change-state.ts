import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, Problem, type Caller } from '#kit/index.ts';
import { askReadiness } from './ask-readiness.ts';
import { findOwn, getUser, lockOwn } from './own-resource.ts';
import { ownResource } from './resource-view.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { showChanged } from './show-own.ts';
import type { ResourceRow } from './tables.ts';
import { withoutCode } from './without-code.ts';

const input = z.strictObject({ id: z.uuid() });
const problems = ['not_found', 'conflict'] as const;

export const pauseResource = operation({
  name: 'resources.pause',
  route: 'POST /api/resources/:id/pause',
  summary: 'Turn buyers away until you resume; nothing is charged meanwhile.',
  scope: 'resources:write',
  input,
  output: ownResource,
  problems,
  run: async (deps: ResourcesDeps & InTransaction, caller: Caller, { id }) => {
    const row = await lockOwn(deps.tx, id);
    if (row.state === 'draft') {
      throw new Problem('conflict', { detail: 'This resource is not published, so there is nothing to pause.' });
    }
    // Also when paused for the key: a new key then does not bring it back without its creator.
    return setState(deps, caller, { id, state: 'paused' });
  },
});

export const resumeResource = operation({
  name: 'resources.resume',
  route: 'POST /api/resources/:id/resume',
  summary: 'Serve buyers again.',
  scope: 'resources:write',
  input,
  output: ownResource,
  problems: [...problems, 'unprocessable'],
  // Before the transaction: a kind may ask the network whether it is ready.
  prepare: async (deps: ResourcesDeps, caller, { id }) => {
    const read = await deps.database.asUser(getUser(caller).userId, (tx) => findOwn(tx, id));
    if (read?.state === 'paused') {
      await assertReady(deps, id);
    }
    return { changedAt: read?.updated_at.getTime() };
  },
  run: async (deps: ResourcesDeps & InTransaction<{ changedAt: number | undefined }>, caller: Caller, { id }) => {
    const row = await lockOwn(deps.tx, id);
    if (row.state !== 'paused') {
      throw new Problem('conflict', { detail: 'This resource is not paused.' });
    }
    // A key that goes touches what needs it, so what was found ready is so still.
    if (row.updated_at.getTime() !== deps.prepared.changedAt) {
      throw new Problem('conflict', { detail: 'This resource was changed meanwhile.', next: 'Resume it again.' });
    }
    return setState(deps, caller, { id, state: 'published' });
  },
});

export const archiveResource = operation({
  name: 'resources.archive',
  route: 'POST /api/resources/:id/archive',
  summary: 'Take the resource off for good. Its slug stays taken, so that nobody inherits its URL.',
  scope: 'resources:write',
  input,
  output: ownResource,
  problems,
  run: async (deps: ResourcesDeps & InTransaction, caller: Caller, { id }) => {
    await lockOwn(deps.tx, id);
    return setState(deps, caller, { id, state: 'archived' });
  },
});

/** What is paused comes back only when the kind can work: a key that went meanwhile paused nothing that was paused already. */
async function assertReady(deps: ResourcesDeps, id: string): Promise<void> {
  const readiness = await askReadiness(deps, id);
  if (readiness && !readiness.ready) {
    throw new Problem('unprocessable', { detail: `The resource cannot serve yet: ${withoutCode(readiness.cause)}` });
  }
}

interface StateChange {
  id: string;
  state: 'published' | 'paused' | 'archived';
}

async function setState(deps: ResourcesDeps & InTransaction<unknown>, caller: Caller, { id, state }: StateChange) {
  const isPaused = state === 'paused';
  const now = new Date(deps.clock.now());
  const { rows } = await deps.tx.query<ResourceRow>(
    'UPDATE x402_resources SET state = $2, paused_by = $3, pause_cause = $4, updated_at = $5 WHERE id = $1 RETURNING *',
    [id, state, isPaused ? 'owner' : null, isPaused ? 'Paused by its creator.' : null, now],
  );
  return showChanged(deps, getUser(caller), rows[0] as ResourceRow);
}
