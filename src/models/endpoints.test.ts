import pg from 'pg';
import { beforeEach, expect, test } from 'vitest';
import { listen } from '#database/index.ts';
import { anonymous } from '#kit/index.ts';
import { perform } from '../../tests/support/perform.ts';
import { useTestDatabase } from '../../tests/support/test-database.ts';
import { judgeEndpoints } from './endpoint.ts';
import {
  findPricedModel,
  forgetModels,
  listEndpoints,
  modelsChannel,
  openModels,
  refreshEndpoints,
  refreshWanted,
  syncModels,
  type ModelsDeps,
} from './index.ts';

const database = useTestDatabase();
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const HOUR = 3_600_000;
const MODEL = 'maker/m';
let deps: ModelsDeps;
let answer: unknown[] | null | Error;
let asked: string[];
let nowMs: number;

const provider = (tag: string, prompt: unknown, more: object = {}) => ({
  tag,
  provider_name: tag.toUpperCase(),
  pricing: { prompt, completion: '0.000002' },
  supported_parameters: ['max_tokens'],
  status: 0,
  ...more,
});

beforeEach(async () => {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query('TRUNCATE ai_models, ai_model_changes, ai_model_syncs, ai_model_endpoints CASCADE');
  await owner.end();
  answer = [provider('one', '0.000001'), provider('two', '0.000003')];
  asked = [];
  nowMs = Date.parse('2026-11-18T03:00:00Z');
  deps = openModels({
    database: database.current,
    fetchCatalogue: async () => [
      {
        id: MODEL,
        name: 'M',
        context_length: 1000,
        architecture: { input_modalities: ['text'], output_modalities: ['text'] },
        pricing: { prompt: '0.000001', completion: '0.000002' },
        supported_parameters: ['max_tokens'],
      },
    ],
    fetchEndpoints: async (id) => {
      asked.push(id);
      if (answer instanceof Error) {
        throw answer;
      }
      return answer;
    },
    clock: { now: () => nowMs },
    log: silent,
  });
  await syncModels(deps, { trigger: 'test' });
});

const readTags = async () => (await findPricedModel(deps, MODEL))?.endpoints?.map(({ tag }) => tag) ?? null;

const read = () => perform(listEndpoints, [deps, anonymous, database.current], { author: 'maker', slug: 'm' });

test('the providers of a model are asked for once in a while, however many wait for them', async () => {
  expect(await readTags()).toBeNull();
  await Promise.all([1, 2, 3].map(() => refreshEndpoints(deps, MODEL)));
  await refreshEndpoints(deps, MODEL);
  expect(asked).toEqual([MODEL]);
  expect(await readTags()).toEqual(['one', 'two']);
  nowMs += HOUR;
  await refreshEndpoints(deps, MODEL);
  expect(asked).toHaveLength(2);
});

test.each<[string, typeof answer]>([
  ['nobody', []],
  ['no such model', null],
  ['free providers only', [provider('one', '0', { pricing: { prompt: '0', completion: '0' } })]],
  ['what cannot be read', ['x', { tag: 1 }]],
  ['nothing, because it is down', new Error('down')],
])('a list that tells of %s leaves the last good one', async (_what, told) => {
  await refreshEndpoints(deps, MODEL);
  answer = told;
  nowMs += HOUR;
  await refreshEndpoints(deps, MODEL);
  expect(await readTags()).toEqual(['one', 'two']);
  expect((await read()).problem).toEqual(expect.any(String));
  answer = [provider('three', '0.000001')];
  nowMs += HOUR;
  await refreshEndpoints(deps, MODEL);
  expect(await readTags()).toEqual(['three']);
  expect(await read()).toMatchObject({ problem: null, items: [{ tag: 'three', providerName: 'THREE' }] });
});

test('a price that cannot be read keeps its last value; a provider whose price was never read is left out', () => {
  const { endpoints: last } = judgeEndpoints([provider('one', '0.000001')], []);
  const judged = judgeEndpoints([provider('one', { odd: true }), provider('two', null)], last ?? []);
  expect(judged.endpoints?.map(({ tag, pricing }) => [tag, pricing.prompt])).toEqual([['one', '0.000001']]);
  expect(judged.problem).toContain('two');
});

test('what resources need is read again every hour, and soon after each sync of the catalogue', async () => {
  await findPricedModel(deps, MODEL);
  expect(await refreshWanted(deps)).toBe(1);
  expect(await refreshWanted(deps)).toBe(0);
  nowMs += 61 * 60_000;
  expect(await refreshWanted(deps)).toBe(1);
  await syncModels(deps, { trigger: 'test' });
  expect(await refreshWanted(deps)).toBe(1);
  nowMs += 8 * 24 * HOUR;
  expect(await refreshWanted(deps)).toBe(0);
  expect(asked).toHaveLength(3);
});

test('another process reads them too, and all are told where prices change and not where only the load does', async () => {
  const told: string[] = [];
  const listening = await listen({
    url: database.url,
    channels: [modelsChannel],
    onNotify: (_channel, payload) => void told.push(payload),
    onReconnect: () => {},
    onError: () => {},
  });
  await refreshEndpoints(deps, MODEL);
  await expect.poll(() => told).toEqual([MODEL]);
  const other = openModels({ ...deps });
  expect((await findPricedModel(other, MODEL))?.endpoints).toHaveLength(2);
  answer = [provider('one', '0.000001', { uptime_last_30m: 12 }), provider('two', '0.000003')];
  nowMs += HOUR;
  await refreshEndpoints(deps, MODEL);
  answer = [provider('one', '0.000009'), provider('two', '0.000003')];
  nowMs += HOUR;
  await refreshEndpoints(deps, MODEL);
  await expect.poll(() => told).toEqual([MODEL, MODEL]);
  forgetModels(other);
  expect((await findPricedModel(other, MODEL))?.endpoints?.[0]?.pricing.prompt).toBe('0.000009');
  await listening.close();
});
