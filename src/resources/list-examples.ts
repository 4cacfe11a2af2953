import { z } from 'zod';
import type { InTransaction, Tx } from '#database/index.ts';
import { operation, type Caller } from '#kit/index.ts';
import { change, diffValues } from './diff-values.ts';
import { exampleRun, toExampleRun, type ExampleRow, type ExampleRunRow, type Sample } from './example.ts';
import { readOwnExamples } from './example-runs.ts';
import { findOwn, notFound } from './own-resource.ts';

const item = z.object({
  id: z.uuid(),
  name: z.string(),
  input: z.unknown(),
  reruns: z.boolean(),
  /** Newest version first, the draft last. `changes`: of the answer, since the version before. */
  runs: z.array(exampleRun.extend({ changes: z.array(change) })),
});

export const listExamples = operation({
  name: 'resources.examples',
  route: 'GET /api/resources/:id/examples',
  summary: 'The examples of your resource: what each version and the draft made of them, and what changed in between.',
  scope: 'resources:read',
  input: z.strictObject({ id: z.uuid() }),
  output: z.object({ items: z.array(item) }),
  problems: ['not_found'],
  run: async ({ tx }: InTransaction, _caller: Caller, { id }) => {
    if (!(await findOwn(tx, id))) {
      throw notFound();
    }
    const examples = await readOwnExamples(tx, id);
    // A few versions back are enough to see what changed.
    const { rows: runs } = await tx.query<ExampleRunRow>(
      `SELECT ranked.* FROM (
         SELECT run.*, row_number() OVER (PARTITION BY example_id ORDER BY version DESC) AS place
         FROM resource_example_runs run WHERE example_id = ANY ($1) AND ended_at IS NOT NULL) ranked
       WHERE place <= 5 OR version = 0 ORDER BY version DESC`,
      [examples.map((example) => example.id)],
    );
    return { items: examples.map((example) => toItem(example, runs)) };
  },
});

function toItem({ id, name, input, reruns }: ExampleRow, all: readonly ExampleRunRow[]): z.input<typeof item> {
  const own = all.filter((run) => run.example_id === id);
  const published = own.filter(({ version }) => version > 0);
  const runs = own.map((run) => {
    const before = run.version === 0 ? published[0] : published[published.indexOf(run) + 1];
    return { ...toExampleRun(run), changes: diffAnswers(before, run, { isBrief: true }) };
  });
  return { id, name, input, reruns, runs };
}

export function diffAnswers(
  before: Pick<ExampleRunRow, 'answer'> | undefined,
  after: Pick<ExampleRunRow, 'answer'>,
  options: { isBrief?: boolean } = {},
): z.input<typeof change>[] {
  return before ? diffValues({ answer: before.answer }, { answer: after.answer }, options) : [];
}

const MAX_SAMPLES = 3;
const MAX_SAMPLE_LENGTH = 8_000;

/** What everybody sees of a resource's examples. Needs the rights of the system. */
export async function findSamples(tx: Pick<Tx, 'query'>, resourceId: string): Promise<Sample[]> {
  const { rows } = await tx.query<Sample>(
    `SELECT example.name, example.input, run.answer, run.version
     FROM resource_examples example
     CROSS JOIN LATERAL (
       SELECT answer, version FROM resource_example_runs
       WHERE example_id = example.id AND version > 0 AND ok AND answer IS NOT NULL
         AND length(answer::text) <= ${MAX_SAMPLE_LENGTH}
       ORDER BY version DESC LIMIT 1) run
     WHERE example.resource_id = $1 ORDER BY example.id LIMIT ${MAX_SAMPLES}`,
    [resourceId],
  );
  return rows;
}
