import { expect, test, vi } from 'vitest';
import type { OperationPorts } from '#kit/index.ts';
import { openLanding } from './open-landing.ts';

test('reading pages takes nothing from what a client may ask of the API', async () => {
  const limiter = { take: vi.fn(async () => ({ isAllowed: false, retryAfterSeconds: 1 })) };
  const ports = {
    limiter,
    transact: () => Promise.reject(new Error('the database was asked')),
    log: { error: () => {} },
  } as unknown as OperationPorts;
  const landing = openLanding({
    ports,
    resources: { kinds: [] } as never,
    featured: ['ada', 'ada/echo'],
    localNetworks: [],
    writesTextAlone: async () => false,
  });
  const source = { surface: 'http', requestId: 'r', clientAddress: '203.0.113.7' } as const;
  await expect(landing.listPublished(null, source)).rejects.toThrow('the database was asked');
  await expect(landing.listFeatured(source)).rejects.toThrow('the database was asked');
  expect(limiter.take).not.toHaveBeenCalled();
});
