import { beforeAll, expect, test } from 'vitest';
import type { User } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openToyResources, perform, toyDraft } from '../../tests/support/toy-resources.ts';
import { createResource, type ResourceKind } from './index.ts';

const database = useTestDatabase();
let ada: User;

beforeAll(async () => {
  ada = await openToyResources(database.current).addUser('ada');
});

const create = (slug: string, promised: ReturnType<NonNullable<ResourceKind['outputOf']>>) => {
  const { deps } = openToyResources(database.current);
  const kinds = deps.kinds.map((kind): ResourceKind => ({
    ...kind,
    settlementPoints: ['on_success', 'at_first_output'],
    outputOf: () => promised,
  }));
  const draft = createResource.input.parse(toyDraft({ slug, settlementPoint: 'at_first_output' }));
  return perform(createResource, [{ ...deps, kinds }, ada], draft);
};

test('money does not move at the first part of an answer whose JSON is judged as a whole', async () => {
  const { problems } = await create('judged', { schema: { type: 'object' }, example: null });
  expect(problems).toEqual([{ path: '/settlementPoint', message: expect.stringContaining('judged as a whole') }]);
  expect((await create('free', null)).problems).toEqual([]);
});
