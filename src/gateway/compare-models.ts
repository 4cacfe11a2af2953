import { Big } from 'big.js';
import { z } from 'zod';
import { assertUser, operation, Problem, type Caller, type FieldProblem } from '#kit/index.ts';
import { findOwnDraft, parseInput, quoteOf, type PublishedVersion, type ResourceKind } from '#resources/index.ts';
import { assertAffordable, maxCostUsd } from './max-cost.ts';
import { notRun, takeTest, tried, tryVersion, type Tried, type TryDeps } from './try-version.ts';

const cell = tried.omit({ prompt: true });

const output = z.object({
  /** What all runs together may have cost at worst; null where nobody knows. */
  worstCostUsd: z.string().nullable(),
  models: z.array(
    z.object({
      model: z.string(),
      /** Why it was not asked. */
      problems: z.array(z.object({ path: z.string(), message: z.string() })),
      /** In the order of the inputs. */
      results: z.array(cell),
      /** Of the runs whose cost is known. */
      costUsd: z.string(),
      answered: z.int(),
    }),
  ),
});

type Compared = z.input<typeof output>;

/** Runs the same inputs on several models with the draft's template. The runs are no part of the transaction. */
export const compareModels = operation({
  name: 'resources.compare_models',
  route: 'POST /api/resources/:id/compare',
  summary:
    'Run the draft on up to four models with the same inputs, side by side: answers, tokens, cost and time of each. Costs what the models cost.',
  scope: 'resources:write',
  input: z.strictObject({
    id: z.uuid(),
    models: z
      .array(z.string().min(1).max(200))
      .min(1)
      .max(4)
      .refine((models) => new Set(models).size === models.length, 'Name each model once.'),
    inputs: z.array(z.record(z.string(), z.unknown())).min(1).max(5),
    maxCostUsd,
  }),
  output,
  problems: ['not_found', 'unprocessable'],
  prepare: async (deps: TryDeps, caller, { id, models, inputs, maxCostUsd: most }) => {
    assertUser(caller);
    const { version, problems } = await findOwnDraft(deps.resources, caller, id);
    if (version === null) {
      throw new Problem('unprocessable', { detail: 'The draft cannot run yet.', fields: problems });
    }
    const columns = await Promise.all(models.map((model) => toColumn(deps, version, model)));
    const read = inputs.map((input, index) => readInput(version, input, index));
    const asked = columns.filter(({ problems: found }) => found.length === 0);
    const worstUsd = asked.flatMap((column) => inputs.map(() => column.worstUsd));
    const worstCostUsd = assertAffordable({ worstUsd, maxCostUsd: most });
    for (const { problems: found } of columns) {
      await (found.length === 0 ? takeTest(deps, caller.userId) : null);
    }
    return { worstCostUsd, models: await Promise.all(columns.map((column) => runColumn(deps, column, read))) };
  },
  run: async ({ prepared }: { prepared: Compared }, _caller: Caller) => prepared,
});

interface Column {
  model: string;
  version: PublishedVersion;
  problems: FieldProblem[];
  worstUsd: string | null;
}

async function toColumn({ resources }: TryDeps, version: PublishedVersion, model: string): Promise<Column> {
  const kind: ResourceKind | undefined = resources.kinds.find(({ name }) => name === version.kind);
  const config = kind?.withModel?.(version.config, model);
  if (!kind || config === undefined) {
    throw new Problem('unprocessable', { detail: `Resources of the kind "${version.kind}" ask no model.` });
  }
  const { parameters, ownerId } = version;
  const problems = await kind.checkPublishable(config, parameters, ownerId);
  const quote = problems.length === 0 ? await quoteOf(kind, { config, parameters, ownerId }) : null;
  return { model, version: { ...version, config }, problems, worstUsd: quote?.worstUsd ?? null };
}

function readInput(version: PublishedVersion, input: Record<string, unknown>, index: number): Record<string, unknown> {
  const parsed = parseInput(version, input, { isText: false });
  if (!parsed.ok) {
    const fields = parsed.fields.map(({ path, message }) => ({ path: `/inputs/${index}${path}`, message }));
    throw new Problem('invalid_input', { detail: 'An input does not fit the parameters of the draft.', fields });
  }
  return parsed.input;
}

/** One input after the other: a key takes only so many calls at once. */
async function runColumn(
  deps: TryDeps,
  { model, version, problems }: Column,
  inputs: readonly Record<string, unknown>[],
): Promise<Compared['models'][number]> {
  const results: Omit<Tried, 'prompt'>[] = [];
  for (const input of problems.length === 0 ? inputs : []) {
    const { prompt: _, ...result } = await tryVersion(deps, { version, input }).catch((err: unknown) => {
      if (err instanceof Problem) {
        return { ...notRun, cause: `${err.code}: ${err.message}` };
      }
      deps.log.error({ err, model }, 'a comparison of models failed unexpectedly');
      return { ...notRun, cause: 'internal: The run failed here.' };
    });
    results.push(result);
  }
  const cost = results.reduce((sum, { costUsd }) => sum.plus(costUsd ?? 0), new Big(0));
  return { model, problems, results, costUsd: cost.toFixed(), answered: results.filter(({ ok }) => ok).length };
}
