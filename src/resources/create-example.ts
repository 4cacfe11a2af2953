import { z } from 'zod';
import type { InTransaction } from '#database/index.ts';
import { newId, operation, Problem, type Caller } from '#kit/index.ts';
import { getUser, lockOwn } from './own-resource.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { wrappedInput } from './wrapped-input.ts';

const MAX_EXAMPLES = 20;
const MAX_INPUT_LENGTH = 20_000;

export const createExample = operation({
  name: 'resources.examples.create',
  route: 'POST /api/resources/:id/examples',
  summary:
    'Keep an input as an example of a resource. It is run with your key for each version that you publish, and everybody sees it with its newest answer.',
  scope: 'resources:write',
  status: 201,
  input: z.strictObject(
    {
      id: z.uuid(),
      name: z.string().trim().min(1).max(100),
      input: z
        .record(z.string(), z.unknown())
        .refine((input) => JSON.stringify(input).length <= MAX_INPUT_LENGTH, 'The input is too long for an example.'),
      reruns: z.boolean().default(true).describe('False: it is run only when you ask for it.'),
    },
    wrappedInput,
  ),
  output: z.object({ id: z.uuid(), name: z.string(), input: z.unknown(), reruns: z.boolean() }),
  problems: ['not_found', 'conflict'],
  run: async (deps: ResourcesDeps & InTransaction, caller: Caller, { id, name, input, reruns }) => {
    const { tx } = deps;
    // The lock keeps two at once from being one too many.
    await lockOwn(tx, id);
    const { rows } = await tx.query<{ count: number; is_taken: boolean }>(
      `SELECT count(*)::int AS count, coalesce(bool_or(name = $2), false) AS is_taken
       FROM resource_examples WHERE resource_id = $1`,
      [id, name],
    );
    if (rows[0]?.is_taken) {
      throw new Problem('conflict', {
        detail: 'Another example of this resource has this name.',
        fields: [{ path: '/name', message: 'Choose another name.' }],
      });
    }
    if ((rows[0]?.count ?? 0) >= MAX_EXAMPLES) {
      const detail = `A resource has at most ${MAX_EXAMPLES} examples. Delete one first.`;
      throw new Problem('conflict', { detail });
    }
    const exampleId = newId();
    await tx.query(
      `INSERT INTO resource_examples (id, resource_id, owner_id, name, input, reruns, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [exampleId, id, getUser(caller).userId, name, JSON.stringify(input), reruns, new Date(deps.clock.now())],
    );
    return { id: exampleId, name, input, reruns };
  },
});
