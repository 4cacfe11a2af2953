import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { anonymous } from '#kit/index.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { openToyResources, perform } from '../../tests/support/toy-resources.ts';
import { listKinds } from './index.ts';

const database = useTestDatabase();

test('anybody may read which kinds there are and what each demands of a configuration', async () => {
  const { deps } = openToyResources(database.current);
  const { items } = await perform(listKinds, [deps, anonymous], {});
  expect(items).toMatchObject([{ name: 'toy', title: 'Toy', summary: expect.any(String), mayAllowUserMessage: true }]);
  expect(items[0]?.configSchema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' });
  const validate = new Ajv2020().compile(items[0]?.configSchema ?? {});
  expect(validate({ template: 'A haiku.' })).toBe(true);
  expect(validate({ template: 7 })).toBe(false);
});
