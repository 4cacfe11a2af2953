import { expect, test } from 'vitest';
import { readSnapshot } from '#models/index.ts';
import { useApp } from './support/start-app.ts';

const app = useApp({ OPENROUTER_BASE_URL: 'http://127.0.0.1:9/api/v1' });

test('without a way to OpenRouter the first start offers the catalogue that ships, and says so', async () => {
  const response = await fetch(`${app.current.url}/api/models?limit=5`);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ items: [{}, {}, {}, {}, {}] });
  const { takenAt } = await readSnapshot();
  expect(app.current.logged.join('')).toContain(`the one of ${takenAt} that ships`);
  const { rows } = await app.current.database.system.query(
    'SELECT trigger, status FROM ai_model_syncs ORDER BY number',
  );
  expect(rows).toEqual([
    { trigger: 'start', status: 'failed' },
    { trigger: 'snapshot', status: 'applied' },
  ]);
});
