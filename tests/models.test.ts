import { afterEach, beforeAll, expect, test } from 'vitest';
import { useApp, type Creator } from './support/start-app.ts';

const app = useApp({ ADMIN_EMAILS: 'ruth@example.com' });
const control = () => {
  const simulator = app.current.sandbox?.openRouter;
  if (!simulator) {
    throw new Error('These tests need the simulated OpenRouter.');
  }
  return simulator.control;
};
let root: Creator;
beforeAll(async () => {
  root = await app.current.makeCreator('ruth', { openRouterKey: null });
});
afterEach(() => control().reset());

interface Model {
  id: string;
  openrouterId: string;
  displayName: string;
  description: string;
  provider: string;
  contextLength: number | null;
  inputModalities: string[];
  outputModalities: string[];
  supportedParameters: string[];
  pricing: Record<string, string>;
  isFree: boolean;
  isActive: boolean;
  tools: boolean;
  vision: boolean;
}

async function list(query: string): Promise<{ items: Model[]; nextCursor: string | null }> {
  const response = await fetch(`${app.current.url}/api/models?limit=100&${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as { items: Model[]; nextCursor: string | null };
}

async function listAll(query: string): Promise<Model[]> {
  const items: Model[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page = await list(`${query}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}

/** Unknown prices are -1. */
const isAtMost = (price: string | undefined, usd: number) => Number(price) >= 0 && Number(price) <= usd;

test.each<[string, (model: Model) => boolean]>([
  ['q=claude', (model) => /claude/i.test(`${model.openrouterId} ${model.displayName} ${model.description}`)],
  ['provider=openai', ({ provider }) => provider === 'openai'],
  ['provider=openai,anthropic', ({ provider }) => ['openai', 'anthropic'].includes(provider)],
  ['input=image,text', ({ inputModalities }) => ['image', 'text'].every((one) => inputModalities.includes(one))],
  ['output=image', ({ outputModalities }) => outputModalities.includes('image')],
  ['minContext=500000', ({ contextLength }) => (contextLength ?? 0) >= 500_000],
  [
    'parameters=tools,seed',
    ({ supportedParameters }) => ['tools', 'seed'].every((one) => supportedParameters.includes(one)),
  ],
  ['tools=true', ({ tools }) => tools],
  ['vision=true', ({ vision }) => vision],
  ['vision=false', ({ vision }) => !vision],
  ['free=true', ({ isFree }) => isFree],
  ['maxPromptPrice=0.5', ({ pricing }) => isAtMost(pricing['prompt'], 0.5e-6)],
  ['tools=true&vision=true&provider=google', (model) => model.tools && model.vision && model.provider === 'google'],
])('the model filter %s finds exactly what it says', async (query, fits) => {
  const all = await listAll('');
  const found = await listAll(query);
  expect(found.length).toBeGreaterThan(0);
  expect(found.length).toBeLessThan(all.length);
  expect(found.map(({ id }) => id).sort()).toEqual(
    all
      .filter(fits)
      .map(({ id }) => id)
      .sort(),
  );
});

test.each(['name', 'newest', 'price', 'context'])(
  'pages of models sorted by %s hold every model once',
  async (sort) => {
    const seen = (await listAll(`sort=${sort}`)).map(({ id }) => id);
    expect(seen.length).toBe(new Set(seen).size);
    expect(seen.length).toBe((await listAll('')).length);
  },
);

test('every price of a model is a decimal string, and an unchanged list answers 304', async () => {
  const { items } = await list('');
  const prices = items.flatMap(({ pricing }) => Object.values(pricing)).filter((price) => typeof price !== 'object');
  expect(prices.filter((price) => typeof price !== 'string' || !/^-?\d+(\.\d+)?$/.test(price))).toEqual([]);
  const first = await fetch(`${app.current.url}/api/models?provider=openai`);
  await first.arrayBuffer();
  const headers = { 'If-None-Match': first.headers.get('ETag') ?? '' };
  const again = await fetch(`${app.current.url}/api/models?provider=openai`, { headers });
  expect([again.status, await again.text()]).toEqual([304, '']);
});

test('a sync keeps removals and prices in the history; removed models can come back', async () => {
  const sync = (options = {}) => root.call('POST', '/api/admin/sync-models', options);
  expect((await sync()).body).toMatchObject({ status: 'applied' });
  control().changePrice('openai/gpt-4o-mini', { prompt: '0.000000123' });
  control().retireModel('anthropic/claude-haiku-4.5', { listed: false });
  expect((await sync()).body).toMatchObject({
    status: 'applied',
    counts: { removed: 0, missing: 1, price: 1 },
    missing: ['anthropic/claude-haiku-4.5'],
  });
  const kept = await fetch(`${app.current.url}/api/models/anthropic/claude-haiku-4.5`).then((response) =>
    response.json(),
  );
  expect(kept).toMatchObject({ isActive: true, missingSince: expect.any(String) });
  expect((await sync({ force: true })).body).toMatchObject({ status: 'applied', counts: { removed: 1 } });
  const changed = await fetch(`${app.current.url}/api/models/changes?limit=3`).then((response) => response.json());
  expect((changed as { items: object[] }).items).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ openrouterId: 'anthropic/claude-haiku-4.5', kind: 'removed', after: null }),
      expect.objectContaining({ openrouterId: 'openai/gpt-4o-mini', kind: 'price' }),
    ]),
  );
  const model = (await listAll('q=gpt-4o-mini')).find(({ openrouterId }) => openrouterId === 'openai/gpt-4o-mini');
  expect(model?.pricing['prompt']).toBe('0.000000123');
  const gone = await fetch(`${app.current.url}/api/models/anthropic/claude-haiku-4.5`).then((response) =>
    response.json(),
  );
  expect(gone).toMatchObject({ isActive: false });
  control().reset();
  expect((await sync()).body).toMatchObject({ counts: { returned: 1, price: 1, removed: 0, missing: 0 } });
});

test('a sync whose list lacks a fifth of the models is refused, unless an administrator insists', async () => {
  const all = await listAll('');
  for (const { openrouterId } of all.slice(0, Math.ceil(all.length * 0.2))) {
    control().retireModel(openrouterId, { listed: false });
  }
  const refused = await root.call('POST', '/api/admin/sync-models', {});
  expect(refused.body).toMatchObject({ status: 422, code: 'unprocessable' });
  expect(refused.body['detail']).toMatch(/^\d+ of \d+ active models would vanish. Nothing was changed.$/);
  expect((await listAll('')).length).toBe(all.length);
  expect((await root.call('POST', '/api/admin/sync-models', { force: true })).body).toMatchObject({
    status: 'applied',
  });
  expect((await listAll('')).length).toBeLessThan(all.length);
  control().reset();
  expect((await root.call('POST', '/api/admin/sync-models', {})).status).toBe(200);
  expect((await listAll('')).length).toBe(all.length);
});

test('only administrators may start a sync of the models', async () => {
  const ada = await app.current.makeCreator('ada', { openRouterKey: null });
  expect((await ada.call('POST', '/api/admin/sync-models', {})).body).toMatchObject({ status: 403, code: 'forbidden' });
  const nobody = await fetch(`${app.current.url}/api/admin/sync-models`, { method: 'POST' });
  expect(nobody.status).toBe(401);
});
