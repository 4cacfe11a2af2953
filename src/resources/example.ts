import { z } from 'zod';

/** One run of an example by one version (0: the draft), for its creator. */
export const exampleRun = z.object({
  version: z.int().describe('0: the draft'),
  ok: z.boolean(),
  answer: z
    .unknown()
    .describe('As a buyer gets it, without a receipt; null where there is none, or it is too long to be kept'),
  cause: z.string().nullable(),
  /** USD as a decimal; null where nobody told. */
  costUsd: z.string().nullable(),
  latencyMs: z.int().nullable(),
  /** What the kind tells of the run, such as tokens and the model that answered. */
  evidence: z.record(z.string(), z.unknown()),
  at: z.string(),
});

/** What everybody sees beside a resource: an input and what its newest version that was asked made of it. */
export const sample = z.object({ name: z.string(), input: z.unknown(), answer: z.unknown(), version: z.int() });

export type Sample = z.output<typeof sample>;

export interface ExampleRow {
  id: string;
  resource_id: string;
  owner_id: string;
  name: string;
  input: Record<string, unknown>;
  reruns: boolean;
  created_at: Date;
}

export interface ExampleRunRow {
  example_id: string;
  version: number;
  ok: boolean;
  answer: unknown;
  cause: string | null;
  cost_usd: string | null;
  latency_ms: number | null;
  evidence: Record<string, unknown>;
  ended_at: Date;
}

export function toExampleRun(row: ExampleRunRow): z.input<typeof exampleRun> {
  return {
    version: row.version,
    ok: row.ok,
    answer: row.answer,
    cause: row.cause,
    costUsd: row.cost_usd,
    latencyMs: row.latency_ms,
    evidence: row.evidence,
    at: row.ended_at.toISOString(),
  };
}
