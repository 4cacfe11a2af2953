import { z } from 'zod';
import { assertUser, operation, Problem, type Caller } from '#kit/index.ts';
import { callCost, estimateCall, findOwnDraft, parseInput, withoutCode, wrappedInput } from '#resources/index.ts';
import { notRun, takeTest, tried, tryVersion, type TryDeps } from './try-version.ts';

const fieldProblem = z.object({ path: z.string(), message: z.string() });

const output = tried.extend({
  /** What else stands in the way of publishing it; an answer may be had before. */
  problems: z.array(fieldProblem),
  /** What a call of it costs, this one or another, and what to ask for it; null where its kind has no cost or it cannot run. */
  cost: callCost.nullable(),
});
type Tested = z.input<typeof output>;

/**
 * Runs the draft once for its owner, through the same execution as every call: nothing is sold, nothing counted, the run
 * is logged as a test (version 0) and costs what the model costs. The run is no part of the transaction.
 */
export const testDraft = operation({
  name: 'resources.test',
  route: 'POST /api/resources/:id/test',
  summary:
    'Run the draft with this input as a buyer would, before it is for sale: shows the prompt, the answer, tokens, cost and what still stands in the way of publishing.',
  scope: 'resources:write',
  input: z.strictObject({ id: z.uuid(), input: z.record(z.string(), z.unknown()).default({}) }, wrappedInput),
  output,
  problems: ['not_found'],
  prepare: async (deps: TryDeps, caller, { id, input }) => {
    assertUser(caller);
    const { version, problems } = await findOwnDraft(deps.resources, caller, id);
    if (version === null) {
      return { ...notRun, cost: null, problems, cause: 'not_runnable: Mend what "problems" lists first.' };
    }
    const parsed = parseInput(version, input, { isText: false });
    if (!parsed.ok) {
      const fields = parsed.fields.map(({ path, message }) => ({ path: `/input${path}`, message }));
      throw new Problem('invalid_input', { detail: 'The input does not fit the parameters of the draft.', fields });
    }
    await takeTest(deps, caller.userId);
    const told = await tryVersion(deps, { version, input: parsed.input });
    const cause = withoutCode(told.cause ?? '');
    const cost = await estimateCall(deps.resources, version);
    return { ...told, cost, problems: problems.filter(({ message }) => message !== cause) };
  },
  run: async ({ prepared }: { prepared: Tested }, _caller: Caller) => prepared,
});
