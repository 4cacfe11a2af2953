import { expect, test } from 'vitest';
import { knownModel } from '../../tests/support/execution-deps.ts';
import type { KnownModel } from './execution-deps.ts';
import { chooseModels, findModelsFault, findNamedModel, toShownName } from './named-model.ts';

const models = [
  knownModel({ openrouterId: 'acme/poet' }),
  knownModel({ openrouterId: 'acme/poet:free' }),
  knownModel({ openrouterId: 'acme/gone', isActive: false }),
  knownModel({ openrouterId: 'acme/ended', expirationDate: '2026-11-20' }),
  knownModel({ openrouterId: 'openrouter/auto', isRouter: true }),
];
const deps = {
  findModel: (id: string): KnownModel | null => models.find((model) => model.openrouterId === id) ?? null,
  clock: { now: () => Date.parse('2026-11-21T12:00:00Z') },
};

test.each([
  ['acme/poet', 'acme/poet'],
  ['acme/poet:nitro', 'acme/poet:nitro'],
  ['acme/poet:floor', 'acme/poet:floor'],
  ['acme/poet:exacto', 'acme/poet:exacto'],
  ['acme/poet:online', 'acme/poet:online'],
  ['acme/poet:free', 'acme/poet:free'],
  ['acme/poet:free:online', 'acme/poet:free:online'],
  ['acme/poet@preset/terse', 'acme/poet@preset/terse'],
  ['@preset/terse', '@preset/terse'],
  ['openrouter/auto', 'openrouter/auto'],
  ['Acme/Poet', 'acme/poet'],
  ['openrouter/acme/poet', 'acme/poet'],
  ['https://openrouter.ai/acme/poet', 'acme/poet'],
])('%s is asked of OpenRouter as %s', async (written, wireName) => {
  expect(await findNamedModel(deps, written)).toMatchObject({ wireName, model: expect.anything() });
});

test.each(['acme/poet:thinking', 'acme/poet:extended', 'acme/poet:batch', 'acme/nobody', 'poet', ''])(
  '%j is no model: a suffix that does not route is an entry of the catalogue or nothing',
  async (written) => {
    expect(await findNamedModel(deps, written)).toMatchObject({ model: null, wireName: written });
  },
);

test('when the first model is gone, those that stand in for it are chosen in their order', async () => {
  const chosen = await chooseModels(deps, ['acme/gone', 'acme/ended', 'acme/poet:nitro', 'acme/poet:free']);
  expect(chosen.usable.map(({ wireName }) => wireName)).toEqual(['acme/poet:nitro', 'acme/poet:free']);
  expect(chosen.faults).toEqual([
    { written: 'acme/gone', fault: 'model_gone: The model "acme/gone" is no longer offered.' },
    { written: 'acme/ended', fault: 'model_expired: The model "acme/ended" ended on 2026-11-20.' },
  ]);
  expect(await findModelsFault(deps, ['acme/gone', 'acme/poet'])).toBeNull();
  expect(await findModelsFault(deps, ['acme/gone', 'acme/nobody'])).toContain('model_gone');
});

test.each([
  ['https://openrouter.ai/Acme/Poet:nitro', 'acme/poet:nitro'],
  ['acme/poet:free@preset/secret-sauce', 'acme/poet:free'],
  ['@preset/secret-sauce', 'preset'],
])('buyers see %s as %s', (written, shown) => {
  expect(toShownName(written)).toBe(shown);
});
