import { expect, test } from 'vitest';
import { demoResources } from '../sandbox/demo-data.ts';
import { useApp } from './support/start-app.ts';

const app = useApp();

test('the drafts that the docs tell creators to copy, and those of the demo, are warned of nothing', async () => {
  const bob = await app.current.makeCreator('bob');
  const { body } = await bob.call('GET', '/api/kinds');
  const kinds = body['items'] as { examples: { draft: Record<string, unknown> }[] }[];
  const place = { network: 'eip155:84532', payTo: bob.payTo };
  const demos = demoResources.map((draft) => ({ ...draft, ...place, slug: `demo-${draft.slug}` }));
  const drafts = [...kinds.flatMap(({ examples }) => examples.map(({ draft }) => draft)), ...demos];
  expect(drafts.length).toBeGreaterThan(5);
  for (const draft of drafts) {
    const made = await bob.call('POST', '/api/resources', draft);
    expect(made).toMatchObject({ status: 201, body: { slug: draft['slug'], problems: [], warnings: [] } });
  }
});

test('a picture sold for 0.02 that costs 0.038 is published only where its creator accepts the loss, and is warned of then', async () => {
  const ada = await app.current.makeCreator('ada');
  const made = await ada.call('POST', '/api/resources', {
    kind: 'openrouter_instant',
    slug: 'picture',
    name: 'Picture',
    category: 'media',
    priceUsdc: '0.02',
    payTo: ada.payTo,
    network: 'eip155:84532',
    parameters: [{ name: 'topic', maxLength: 200 }],
    config: { modelId: 'google/gemini-2.5-flash-image', systemPrompt: 'Paint {topic}{/topic}.' },
  });
  const path = `/api/resources/${String(made.body['id'])}`;
  const publish = () => ada.call('POST', `${path}/publish`, {});
  const refused = await publish();
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: '/priceUsdc' }] } });
  await ada.call('PATCH', path, { acceptsLoss: { maxLossUsdPerCall: '0.3' } });
  const published = await publish();
  expect(published.status).toBe(200);
  for (const { body } of [made, published]) {
    expect(body['warnings']).toEqual([
      {
        path: '/priceUsdc',
        message: expect.stringMatching(/^You lose money on every call: one typically costs you 0\.03/),
      },
    ]);
  }
});
