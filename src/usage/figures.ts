import { Big } from 'big.js';
import { z } from 'zod';
import { formatUsdc } from '#kit/index.ts';
import type { summed } from './close-hours.ts';

const percentiles = z
  .object({ p50: z.int(), p95: z.int(), p99: z.int() })
  .nullable()
  .describe('Of successful calls, in milliseconds, to 5 %; null where nothing was measured');

/** What is counted of some calls. Tests and the owner's own calls count nowhere. Amounts are exact decimals. */
export const figures = z.object({
  calls: z.int().describe('Successes and failures'),
  successes: z.int(),
  failures: z.int(),
  unpaid: z.int().describe('Answered, and the settlement was refused'),
  refused: z.int().describe('Refused before anything ran'),
  owed: z.int().describe('Paid, and not answered yet'),
  revenueUsdc: z.string(),
  costUsd: z.string().describe("What fell to the creator's own key, as far as it is known"),
  platformCostUsd: z.string().describe("What fell to the operator's key"),
  marginUsd: z.string().describe('Revenue minus costUsd, one USDC taken as one dollar'),
  unknownCostCalls: z.int().describe('Calls of which nobody told the cost: they are in no cost and no margin'),
  inputTokens: z.int(),
  outputTokens: z.int(),
  payers: z.int().describe('Different wallets that have paid'),
  latencyMs: percentiles,
  firstOutputMs: percentiles,
});

export type Figures = z.input<typeof figures>;

/** As PostgreSQL gives sums. */
export type SumRow = Record<(typeof summed)[number], string>;

/** Entries as `to_histogram` in the database has them, one for each bucket: count * 512 + bucket. As `{1,2}`. */
export interface HistogramRow {
  latencies: string | null;
  first_outputs: string | null;
}

interface Measured {
  sums: SumRow | undefined;
  histograms: HistogramRow | undefined;
  payers: number;
}

export function toFigures({ sums, histograms, payers }: Measured): Figures {
  const count = (name: keyof SumRow): number => Number(sums?.[name] ?? 0);
  const revenueUsdc = formatUsdc(BigInt(sums?.earned_atomic ?? '0'));
  const costUsd = new Big(sums?.own_cost_usd ?? 0);
  return {
    calls: count('successes') + count('failures'),
    successes: count('successes'),
    failures: count('failures'),
    unpaid: count('unpaid'),
    refused: count('refused'),
    owed: count('owed'),
    revenueUsdc,
    costUsd: costUsd.toFixed(),
    platformCostUsd: new Big(sums?.platform_cost_usd ?? 0).toFixed(),
    marginUsd: new Big(revenueUsdc).minus(costUsd).toFixed(),
    unknownCostCalls: count('unknown_costs'),
    inputTokens: count('input_tokens'),
    outputTokens: count('output_tokens'),
    payers,
    latencyMs: toPercentiles(toBuckets(histograms?.latencies)),
    firstOutputMs: toPercentiles(toBuckets(histograms?.first_outputs)),
  };
}

function toBuckets(entries: string | null | undefined): { bucket: number; count: number }[] {
  const numbers = entries ? entries.slice(1, -1).split(',').map(Number) : [];
  return numbers.map((entry) => ({ bucket: entry % 512, count: Math.floor(entry / 512) }));
}

const GROWTH = 1.1;

/**
 * From counts of buckets as `latency_bucket` in the database makes them. Nearest rank; each within 5 % of the exact one.
 * @internal for its test
 */
export function toPercentiles(
  buckets: readonly { bucket: number; count: number }[],
): { p50: number; p95: number; p99: number } | null {
  const filled = buckets.filter(({ count }) => count > 0).sort((a, b) => a.bucket - b.bucket);
  const total = filled.reduce((sum, { count }) => sum + count, 0);
  const at = (share: number): number => {
    let left = Math.ceil(total * share);
    for (const { bucket, count } of filled) {
      left -= count;
      if (left <= 0) {
        return toMiddle(bucket);
      }
    }
    return 0;
  };
  return total === 0 ? null : { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** The value that is as far from both ends of the bucket, by their ratio. */
function toMiddle(bucket: number): number {
  return bucket === 0 ? 0 : Math.round((2 * GROWTH ** (bucket - 1)) / (1 + GROWTH));
}
