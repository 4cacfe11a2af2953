import { Model$inboundSchema } from '@openrouter/sdk/models/model.js';
import { expect, test } from 'vitest';
import { readSnapshot } from './read-snapshot.ts';

interface Listed {
  id: string;
  pricing: Record<string, unknown>;
  architecture: { output_modalities: string[] };
  expiration_date: string | null;
  per_request_limits: unknown;
  canonical_slug: string;
  alias_target?: { slug: string };
}

test('every model of the snapshot parses with the official SDK and carries plain decimal prices', async () => {
  const { takenAt, models } = await readSnapshot();
  expect(Number.isNaN(Date.parse(takenAt))).toBe(false);
  for (const model of models as Listed[]) {
    expect({ id: model.id, parses: Model$inboundSchema.safeParse(model).success }).toStrictEqual({
      id: model.id,
      parses: true,
    });
    const prices = Object.entries(model.pricing).filter(([key]) => key !== 'overrides');
    for (const [key, price] of prices) {
      expect(`${model.id} ${key} ${String(price)}`).toMatch(/ (-1|\d+(\.\d{1,13})?)$/);
    }
  }
});

test('the snapshot has an example of every case that readers must handle', async () => {
  const models = (await readSnapshot()).models as Listed[];
  const ids = new Set(models.map((model) => model.id));
  expect(ids.size).toBe(models.length);
  for (const modality of ['text', 'image', 'embeddings']) {
    expect(models.filter((model) => model.architecture.output_modalities.includes(modality)).length).toBeGreaterThan(
      20,
    );
  }
  expect(models.some((model) => model.id.endsWith(':free') && model.pricing['prompt'] === '0')).toBe(true);
  expect(models.some((model) => model.pricing['prompt'] === '-1')).toBe(true);
  expect(models.some((model) => Array.isArray(model.pricing['overrides']))).toBe(true);
  expect(models.filter((model) => model.expiration_date !== null)).toHaveLength(2);
  expect(models.some((model) => model.per_request_limits !== null)).toBe(true);
  const isRenamed = ({ id, canonical_slug: slug }: Listed) => !slug.startsWith(id.split(':')[0] ?? id);
  expect(models.filter(isRenamed).map(({ id }) => id)).toStrictEqual(['mistralai/mistral-large']);
  const aliases = models.filter((model) => model.alias_target !== undefined);
  expect(aliases.length).toBeGreaterThan(0);
  expect(aliases.every((model) => ids.has(model.alias_target?.slug ?? ''))).toBe(true);
});
