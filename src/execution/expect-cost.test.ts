import { expect, test } from 'vitest';
import { parameterSchema } from '#resources/parameter.ts';
import { executionDeps, knownModel, publishedVersion, runContext } from '../../tests/support/execution-deps.ts';
import { CANARY_KEY, useScriptedOpenRouter } from '../../tests/support/scripted-openrouter.ts';
import { bytes, goodStream } from '../../tests/support/scripted-upstream.ts';
import { openOpenRouterInstant, openPromptTemplate } from './index.ts';

const router = useScriptedOpenRouter();
const parameters = [parameterSchema.parse({ name: 'topic' })];

/** What a call does whose model costs this much, in USD per token of its answer, when it is its turn. */
async function runAt(completion: string, more: { maxLossUsd: string | null; isTest?: boolean; kind?: string }) {
  const model = knownModel({ pricing: { prompt: '0', completion } });
  const unused = {} as never;
  const { deps } = executionDeps(
    { openRouter: router.client, chatCompletions: unused, outbound: unused, media: unused },
    [model],
  );
  deps.openCreatorKey = async () => ({ apiKey: CANARY_KEY });
  router.upstream.script(bytes(goodStream('A poem.')));
  const { kind = 'openrouter_instant', isTest = false, maxLossUsd } = more;
  const name = kind === 'openrouter_instant' ? 'modelId' : 'model';
  const config = { systemPrompt: 'About {topic}{/topic}.', maxTokens: 100, [name]: model.openrouterId };
  // Sold for 0.01 USDC.
  const version = publishedVersion({ kind, parameters, config, maxLossUsd });
  const opened = kind === 'openrouter_instant' ? openOpenRouterInstant(deps) : openPromptTemplate(deps);
  const outcome = await opened.run(version, { topic: 'ore' }, runContext({ isTest }));
  return { outcome, asked: router.upstream.seen.length };
}

test.each([
  { what: 'at a price that covers it is asked', completion: '0.0001', more: { maxLossUsd: '0' }, asked: 1 },
  { what: 'that has become dearer than its price is not', completion: '0.0002', more: { maxLossUsd: '0' }, asked: 0 },
  {
    what: 'of a prompt template that has become dearer is not',
    completion: '0.0002',
    more: { maxLossUsd: '0', kind: 'prompt_template' },
    asked: 0,
  },
  { what: 'whose cost is not known any more is not', completion: '-1', more: { maxLossUsd: '0' }, asked: 0 },
  { what: 'within the loss that is accepted is', completion: '0.0002', more: { maxLossUsd: '0.01' }, asked: 1 },
  { what: 'that its owner tries is', completion: '0.0002', more: { maxLossUsd: '0', isTest: true }, asked: 1 },
  { what: 'published before this was asked is', completion: '0.0002', more: { maxLossUsd: null }, asked: 1 },
])('when its turn comes, a call $what', async ({ completion, more, asked }) => {
  const found = await runAt(completion, more);
  expect(found).toMatchObject({ asked, outcome: { ok: asked === 1 } });
});

test('what is not asked because it would lose has cost nothing, and its creator reads the numbers', async () => {
  const { outcome } = await runAt('0.0002', { maxLossUsd: '0' });
  expect(outcome).toMatchObject({
    problem: 'unavailable',
    cause: expect.stringMatching(/^margin: A call can cost up to 0\.02 USD/),
    evidence: { costUsd: '0' },
  });
});
