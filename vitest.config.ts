import { defineConfig } from 'vitest/config';

const shared = {
  pool: 'forks' as const,
  sequence: { shuffle: true },
  globalSetup: ['tests/support/global-setup.ts'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    projects: [
      { test: { ...shared, name: 'unit', include: ['src/**/*.test.ts', 'tests/architecture.test.ts'] } },
      {
        test: {
          ...shared,
          name: 'stories',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/architecture.test.ts'],
          testTimeout: 120_000,
        },
      },
    ],
  },
});
