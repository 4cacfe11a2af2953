import { z } from 'zod';

/** What the creator may ask of the log; `from` is included, `to` is not. */
export const usageFilters = z
  .object({
    resourceId: z.uuid().optional(),
    status: z.enum(['success', 'failed', 'refused', 'unpaid', 'owed']).optional(),
    from: z.iso.datetime({ offset: true }).optional(),
    to: z.iso.datetime({ offset: true }).optional(),
    payer: z
      .string()
      .regex(
        /^(0x[0-9a-fA-F]{40}|(?!0x)[!-~]{1,128})$/,
        'Expected an address; on EVM networks 0x and 40 hexadecimal digits',
      )
      .transform((address) => (address.startsWith('0x') ? address.toLowerCase() : address))
      .optional(),
    isTest: z.enum(['true', 'false']).optional(),
    model: z.string().min(1).max(300).optional(),
    problem: z
      .string()
      .regex(/^[a-z0-9_]{1,60}$/, 'Expected a problem code, such as upstream_failed')
      .optional(),
  })
  .refine((filters) => !filters.from || !filters.to || Date.parse(filters.from) < Date.parse(filters.to), {
    path: ['to'],
    message: 'Expected a time after "from"',
  });

export type UsageFilters = z.output<typeof usageFilters>;
