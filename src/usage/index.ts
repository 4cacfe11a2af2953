/**
 * The log of calls and everything counted from it.
 * Invariants: one row per call, written once and never changed, except that what became of an owed call replaces it, and so
 * does the payment of one that ended unpaid,
 * and a cost that is told later is added;
 * statistics come from those rows alone and are the same before, during and after a rollup; causes, costs and payers are
 * shown to the creator only.
 */
export { listErrorRates } from './list-error-rates.ts';
export { listLosses } from './list-losses.ts';
export { closeCostLookup, takeCostLookups } from './cost-lookups.ts';
export type { CostLookup } from './cost-lookups.ts';
export { deleteSpendCap } from './delete-spend-cap.ts';
export { exportUsage } from './export-usage.ts';
export { getBreakdown } from './get-breakdown.ts';
export { getSeries } from './get-series.ts';
export { getSummary } from './get-summary.ts';
export { forgetOld } from './forget-old.ts';
export { findTypicalLatency } from './find-typical-latency.ts';
export { getStats } from './get-stats.ts';
export { listSpendCaps } from './list-spend-caps.ts';
export { putSpendCap } from './put-spend-cap.ts';
export { openSpendHold, SPEND_CAPS_CHANGED } from './hold-spend.ts';
export type { SpendHold } from './hold-spend.ts';
export { findFullCap, listUsedCaps, readCapUse, releaseSpend } from './spend-caps.ts';
export type { CapUse, SpendCap } from './spend-caps.ts';
export { listLastRuns } from './list-last-runs.ts';
export { listProblems } from './list-problems.ts';
export { listUsage } from './list-usage.ts';
export { recordCall } from './record-call.ts';
export type { CallRecord, MeasuredBy } from './record-call.ts';
export { recordUnpaid } from './record-unpaid.ts';
export { scheduleRollup } from './schedule-rollup.ts';
