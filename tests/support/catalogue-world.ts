import { afterEach, beforeAll } from 'vitest';
import { useApp, type Creator } from './start-app.ts';

export const MODEL = 'openai/gpt-4o-mini';
export const OTHER = 'anthropic/claude-haiku-4.5';

export const configOf = (more: object = {}) => ({
  modelId: MODEL,
  systemPrompt: 'Write about {topic}{/topic}.',
  maxTokens: 400,
  ...more,
});

/** Call at the top of a test file: an app whose catalogue a test may change; after each test it is as it was. */
export function useCatalogueWorld() {
  const app = useApp({ ADMIN_EMAILS: 'ruth@example.com' });
  let ruth: Creator | undefined;
  const getRuth = (): Creator => {
    if (!ruth) {
      throw new Error('The operator is there only inside hooks and tests.');
    }
    return ruth;
  };
  const control = () => {
    const simulator = app.current.sandbox?.openRouter;
    if (!simulator) {
      throw new Error('These tests need the simulated OpenRouter.');
    }
    return simulator.control;
  };
  const sync = async (options: object = {}): Promise<Record<string, unknown>> =>
    (await getRuth().call('POST', '/api/admin/sync-models', options)).body;
  beforeAll(async () => {
    ruth = await app.current.makeCreator('ruth');
  });
  afterEach(async () => {
    control().reset();
    await sync({ force: true });
  });
  return {
    app,
    control,
    sync,
    /** The operator, who publishes too. */
    get ruth() {
      return getRuth();
    },
  };
}
