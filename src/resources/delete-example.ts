import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { operation, Problem, type Caller } from '#kit/index.ts';
import { findOwn, notFound } from './own-resource.ts';

export const deleteExample = operation({
  name: 'resources.examples.delete',
  route: 'DELETE /api/resources/:id/examples/:exampleId',
  summary: 'Delete an example of a resource with all of its answers.',
  scope: 'resources:write',
  input: z.strictObject({ id: z.uuid(), exampleId: z.uuid() }),
  output: z.object({ deleted: z.boolean() }),
  problems: ['not_found'],
  run: async ({ tx }: InTransaction, _caller: Caller, { id, exampleId }) => {
    if (!(await findOwn(tx, id))) {
      throw notFound();
    }
    const { rowCount } = await tx.query('DELETE FROM resource_examples WHERE id = $1 AND resource_id = $2', [
      exampleId,
      id,
    ]);
    if (rowCount !== 1) {
      throw new Problem('not_found', { detail: 'This resource has no such example.' });
    }
    return { deleted: true };
  },
});
