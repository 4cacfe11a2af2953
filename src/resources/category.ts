/** Where a resource stands in lists. */
export const categories = [
  'data',
  'ai',
  'developer',
  'defi',
  'media',
  'identity',
  'storage',
  'social',
  'gaming',
] as const;
