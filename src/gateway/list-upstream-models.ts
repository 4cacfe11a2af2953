import { z } from 'zod';
import { assertUser, operation, Problem, type Caller } from '#kit/index.ts';
import { findOwnDraft } from '#resources/index.ts';
import { takeTest, type TryDeps } from './try-version.ts';

const output = z.object({
  /** What the upstream calls its models; empty where it did not tell. */
  models: z.array(z.string()),
  /** Is the model of the draft among them? Null where it did not tell. */
  isListed: z.boolean().nullable(),
  /** What stands in the way, and what to do. */
  problem: z.string().nullable(),
});

/** Shows without a cost whether address and key of an upstream are right. The upstream is asked outside of a transaction. */
export const listUpstreamModels = operation({
  name: 'resources.upstream_models',
  route: 'POST /api/resources/:id/upstream-models',
  summary: "Ask the draft's own upstream, with its key, which models it has: a first test that costs nothing.",
  scope: 'resources:write',
  input: z.strictObject({ id: z.uuid() }),
  output,
  problems: ['not_found', 'unprocessable'],
  prepare: async (deps: TryDeps, caller, { id }): Promise<z.input<typeof output>> => {
    assertUser(caller);
    const { version } = await findOwnDraft(deps.resources, caller, id);
    const kind = deps.resources.kinds.find(({ name }) => name === version?.kind);
    if (version === null || kind?.listUpstreamModels === undefined) {
      throw new Problem('unprocessable', {
        detail: 'The draft has no upstream of its own that could be asked.',
        next: 'Set config.upstream to {"type": "chat_completions", …} and mend what "problems" of the draft lists.',
      });
    }
    await takeTest(deps, caller.userId);
    const found = await kind.listUpstreamModels(version);
    return { models: [...found.models], isListed: found.isListed, problem: found.problem };
  },
  run: async ({ prepared }: { prepared: z.input<typeof output> }, _caller: Caller) => prepared,
});
