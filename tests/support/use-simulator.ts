import { afterAll, beforeAll, beforeEach } from 'vitest';
import { measureMedia } from '#media/index.ts';
import { readSnapshot } from '#models/index.ts';
import {
  startOpenRouterSimulator,
  type OpenRouterSimulator,
  type SimulatorOptions,
} from '#sandbox/openrouter/start-simulator.ts';

/** Call at the top of a test file: a simulator of the whole catalogue, set back before each test. */
export function useSimulator(options: Partial<SimulatorOptions> = {}): Omit<OpenRouterSimulator, 'stop'> {
  let started: OpenRouterSimulator | undefined;
  beforeAll(async () => {
    const { models } = await readSnapshot();
    started = await startOpenRouterSimulator({ port: 0, measure: measureMedia, catalogue: models, ...options });
  });
  beforeEach(() => started?.control.reset());
  afterAll(() => started?.stop());
  const get = (): OpenRouterSimulator => {
    if (!started) {
      throw new Error('The simulator is there only inside hooks and tests.');
    }
    return started;
  };
  return {
    get url() {
      return get().url;
    },
    get port() {
      return get().port;
    },
    get keys() {
      return get().keys;
    },
    get control() {
      return get().control;
    },
  };
}
