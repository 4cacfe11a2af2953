import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parameterSchema } from '#resources/parameter.ts';
import { knownModel } from '../../tests/support/execution-deps.ts';
import { findNamedModel, type UsableModel } from './named-model.ts';
import { quoteCost, type QuotedCall } from './quote-cost.ts';
import { recallBySize } from './recall-by-size.ts';

const rows = ['0.001', '0.002', '0.003'].map((price) =>
  knownModel({ maxCompletionTokens: 4_096, contextLength: 100_000, pricing: { prompt: price, completion: price } }),
);
const settings = [{ maxTokens: 100 }, { maxTokens: 200 }];
const picture = parameterSchema.parse({ name: 'photo', type: 'image', description: 'A photo.' });

async function nameAll(): Promise<UsableModel[]> {
  const names = ['', ':online'];
  return Promise.all(
    rows.flatMap((model) =>
      names.map(async (suffix) => ({
        ...(await findNamedModel(
          { findModel: (id) => (id === model.openrouterId ? model : null) },
          model.openrouterId + suffix,
        )),
        model,
      })),
    ),
  );
}

test('what is told from memory is what would be told anew, whatever was asked before', async () => {
  const named = await nameAll();
  const call = fc.record({
    models: fc
      .array(fc.constantFrom(...named), { maxLength: 2 })
      .map((models) => models.map((model) => ({ ...model }))),
    settings: fc.constantFrom(...settings),
    prompt: fc.record({ typicalTokens: fc.nat(3), worstTokens: fc.nat(700) }),
    inputs: fc.constantFrom([], [picture]),
    feePercent: fc.constantFrom(undefined, '5'),
  });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
      const recall = recallBySize(quoteCost);
      for (const one of calls) {
        expect(recall(one)).toEqual(quoteCost(one));
      }
    }),
    { numRuns: 50 },
  );
});

test('a prompt of the same size is priced once while the models are the same objects', async () => {
  const [first, , second] = await nameAll();
  let made = 0;
  const recall = recallBySize((call: QuotedCall) => {
    made += 1;
    return call.models.length;
  });
  const ask = (model: UsableModel | undefined, worstTokens = 10): number =>
    recall({
      models: model ? [{ ...model }] : [],
      settings: settings[0] ?? { maxTokens: 1 },
      prompt: { typicalTokens: 1, worstTokens },
    });
  [ask(first), ask(first), ask(first, 11), ask(first, 10)].forEach((count) => expect(count).toBe(1));
  expect(made).toBe(2);
  ask(second);
  ask(first);
  expect(made).toBe(4);
});
