import type { InputMedia } from '#execution/index.ts';

/** For calls whose input holds no files. */
export const withoutFiles: InputMedia = {
  check: async () => [],
  keep: async ({ input }) => ({ ok: true, input }),
  keepReachable: async ({ input }) => input,
  forget: async () => {},
};
