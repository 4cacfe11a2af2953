import { z } from 'zod';
import { operation, type Caller } from '#kit/index.ts';
import type { InTransaction } from '#database/index.ts';
import { findFindings, toOwnDraft } from './draft-version.ts';
import { findOwn, getUser, notFound } from './own-resource.ts';
import { findings } from './resource-view.ts';
import type { ResourcesDeps } from './resources-deps.ts';

const output = z.object({
  /** The revision of the draft that was looked at. */
  revision: z.int(),
  isPublishable: z.boolean(),
  ...findings.shape,
});

type Validation = z.output<typeof output>;

export const validateResource = operation({
  name: 'resources.validate',
  route: 'POST /api/resources/:id/validate',
  summary:
    'Tell everything that stands in the way of publishing the draft, and what can be published but may not be meant.',
  scope: 'resources:read',
  input: z.strictObject({ id: z.uuid() }),
  output,
  problems: ['not_found'],
  // Before the transaction: a kind may take its time.
  prepare: async (deps: ResourcesDeps, caller, { id }): Promise<Validation> => {
    const user = getUser(caller);
    const read = await deps.database.asUser(user.userId, (tx) => findOwn(tx, id));
    if (!read) {
      throw notFound();
    }
    const found = await findFindings(deps, toOwnDraft(read, user));
    return { revision: read.revision, isPublishable: found.problems.length === 0, ...found };
  },
  run: async (deps: ResourcesDeps & InTransaction<Validation>, _caller: Caller) => deps.prepared,
});
