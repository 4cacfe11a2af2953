import { z } from 'zod';

/** Names of schemes, networks, assets and payees are ASCII; PostgreSQL refuses text with a NUL. */
const short = z
  .string()
  .max(128)
  .regex(/^[\x20-\x7e]+$/, 'expected printable ASCII');

/** What surrounds the payload is only compared with our own offer, so unknown fields there are ignored. */
export const envelopeV1 = z.object({
  x402Version: z.literal(1),
  scheme: short,
  network: short,
  payload: z.unknown(),
});

export const envelopeV2 = z.object({
  x402Version: z.literal(2),
  accepted: z.object({
    scheme: short,
    network: short,
    amount: z.string().regex(/^\d{1,78}$/, 'expected a whole number in decimal digits'),
    asset: short,
    payTo: short,
    maxTimeoutSeconds: z.number().positive(),
    extra: z.record(z.string(), z.unknown()).nullish(),
  }),
  payload: z.unknown(),
  extensions: z.record(z.string(), z.unknown()).nullish().catch(null),
});
