import { z } from 'zod';
import { assertUser, operation, Problem, type Caller, type User } from '#kit/index.ts';
import {
  change,
  diffAnswers,
  exampleRun,
  findOwnDraft,
  recallQuote,
  readExamples,
  toExampleRun,
  type PublishedVersion,
} from '#resources/index.ts';
import { assertAffordable, maxCostUsd } from './max-cost.ts';
import { runExample, type ExampleDeps } from './run-example.ts';
import { takeTest } from './try-version.ts';

const output = z.object({
  items: z.array(
    z.object({
      id: z.uuid(),
      name: z.string(),
      /** Of the newest version before the one that was run; null where none has answered it. */
      before: exampleRun.nullable(),
      after: exampleRun,
      /** From the answer before to the one after. */
      changes: z.array(change),
    }),
  ),
});

/** The runs are no part of the transaction. */
export const runExamples = operation({
  name: 'resources.examples.run',
  route: 'POST /api/resources/:id/examples/run',
  summary:
    'Run all examples of your resource with the draft, or with one of its versions, and see what changed since the version before. Costs what the model costs.',
  scope: 'resources:write',
  input: z.strictObject({
    id: z.uuid(),
    version: z.int().min(1).max(999_999_999).optional().describe('The draft unless told.'),
    maxCostUsd,
  }),
  output,
  problems: ['not_found', 'unprocessable'],
  prepare: async (deps: ExampleDeps, caller, { id, version: number, maxCostUsd: most }) => {
    assertUser(caller);
    const version = await findOwnVersion(deps, caller, { id, number });
    const kept = await deps.database.asUser(caller.userId, (tx) => readExamples(tx, { id, version: version.version }));
    const worst = await findWorst(deps, version);
    assertAffordable({ worstUsd: kept.map(() => worst), maxCostUsd: most });
    const items: z.input<typeof output>['items'] = [];
    for (const { example, before } of kept) {
      await takeTest(deps, caller.userId);
      const after = await runExample(deps, { example, version, isAsked: true });
      if (after) {
        const { id: exampleId, name } = example;
        const shown = { before: before && toExampleRun(before), after: toExampleRun(after) };
        items.push({ id: exampleId, name, ...shown, changes: diffAnswers(before ?? undefined, after) });
      }
    }
    return { items };
  },
  run: async ({ prepared }: { prepared: z.input<typeof output> }, _caller: Caller) => prepared,
});

async function findOwnVersion(
  deps: ExampleDeps,
  caller: User,
  { id, number }: { id: string; number: number | undefined },
): Promise<PublishedVersion> {
  const draft = await findOwnDraft(deps.resources, caller, id);
  if (number !== undefined) {
    const found = await deps.published.findById(id, number);
    return found ?? refuse('not_found', `This resource has no version ${number}.`);
  }
  return draft.version ?? refuse('unprocessable', 'The draft cannot run yet. Validate it to see why.');
}

async function findWorst({ resources, clock }: ExampleDeps, version: PublishedVersion): Promise<string | null> {
  const kind = resources.kinds.find(({ name }) => name === version.kind);
  return (kind && (await recallQuote({ kind, clock }, version)))?.worstUsd ?? null;
}

function refuse(code: 'not_found' | 'unprocessable', detail: string): never {
  throw new Problem(code, { detail });
}
