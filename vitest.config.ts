import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** What `npm run check` runs beside the tests that stand next to the sources. */
const quick = ['tests/architecture.test.ts', 'tests/documents.test.ts', 'tests/pointers.test.ts'];

const shared = {
  pool: 'forks' as const,
  sequence: { shuffle: true },
  globalSetup: ['tests/support/global-setup.ts'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    // Files wait for servers and databases more than they compute; vitest itself would leave one of two cores idle.
    maxWorkers: Math.max(2, availableParallelism()),
    projects: [
      { test: { ...shared, name: 'unit', include: ['{src,sandbox}/**/*.test.ts', ...quick] } },
      {
        test: {
          ...shared,
          name: 'stories',
          include: ['tests/**/*.test.ts'],
          exclude: [...quick, 'tests/live/**'],
          testTimeout: 120_000,
        },
      },
      { test: { ...shared, name: 'live', include: ['tests/live/**/*.test.ts'] } },
    ],
  },
});
