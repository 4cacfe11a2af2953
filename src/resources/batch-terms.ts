import { z } from 'zod';

/** What a creator says of calls that carry many inputs. */
export const batchSchema = z.strictObject({ maxInputs: z.int().min(1).max(1_000) });
export type BatchTerms = z.output<typeof batchSchema>;
