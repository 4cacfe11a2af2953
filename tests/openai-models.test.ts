import OpenAI from 'openai';
import { beforeAll, expect, test } from 'vitest';
import { caught, openClient } from './support/openai-client.ts';
import { send } from './support/paid-request.ts';
import { useApp } from './support/start-app.ts';

/* What is published, as models of OpenAI's clients. */
const app = useApp();

const essay = { model: 'ada/essay', messages: [{ role: 'user' as const, content: 'rivers' }] };

beforeAll(async () => {
  const creator = await app.current.makeCreator('ada');
  await creator.publish({ slug: 'essay' });
  await creator.publish({ slug: 'aside' });
});

test('models are the published resources, a page at a time', async () => {
  const ids: string[] = [];
  for await (const model of openClient(app.current).models.list()) {
    ids.push(model.id);
  }
  expect(ids).toEqual(expect.arrayContaining(['ada/essay', 'ada/aside', 'demo/haiku']));
  const url = `${app.current.url}/v1/models`;
  const first = await send(`${url}?limit=2`, { method: 'GET' });
  expect(first.body).toMatchObject({ data: [{ id: ids[0] }, { id: ids[1] }], has_more: true, last_id: ids[1] });
  const next = await send(`${url}?limit=2&after=${ids[1]}`, { method: 'GET' });
  expect(next.body).toMatchObject({ data: [{ id: ids[2] }, { id: ids[3] }] });
  expect(await send(`${url}?limit=0`, { method: 'GET' })).toMatchObject({
    status: 400,
    body: { error: { param: 'limit' } },
  });
});

test('models are told one by one, in every spelling of their id', async () => {
  const model = await openClient(app.current).models.retrieve('ada/essay');
  expect(model).toMatchObject({ id: 'ada/essay', object: 'model', owned_by: 'ada', pricing: { request: '0.01' } });
  expect(model.created).toBeGreaterThan(1_500_000_000);
  for (const [path, id] of [
    ['ada/essay', 'ada/essay'],
    ['@ada/essay', 'ada/essay'],
    ['ada%2Fessay%401', 'ada/essay@1'],
    ['ada/essay@1', 'ada/essay@1'],
  ]) {
    expect(await send(`${app.current.url}/v1/models/${path}`, { method: 'GET' })).toMatchObject({
      status: 200,
      body: { id },
    });
  }
  expect(await caught(openClient(app.current).models.retrieve('ada/nothing'))).toBeInstanceOf(OpenAI.NotFoundError);
});

test('a model of OpenAI’s, with what models are called here and where they are listed', async () => {
  const words = expect.stringMatching(/"creator\/slug".*GET \/v1\/models/) as string;
  const asked = openClient(app.current).chat.completions.create({ ...essay, model: 'gpt-4o' });
  expect(await caught(asked)).toMatchObject({ status: 400, param: 'model', message: words });
  for (const model of ['gpt-4o', 'openai/gpt-4o']) {
    const error = await caught(openClient(app.current).models.retrieve(model));
    expect(error).toMatchObject({ status: 404, param: 'model', message: words });
  }
});
