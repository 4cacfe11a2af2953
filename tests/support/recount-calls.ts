import { Big } from 'big.js';
import { expect } from 'vitest';
import type { CallRecord } from '#usage/index.ts';

export interface Question {
  by: 'all' | 'resource' | 'version' | 'model' | 'payer' | 'hour' | 'day';
  from: string;
  to: string;
  timeZone?: string;
  resourceId?: string;
  version?: number;
  model?: string;
  payer?: string;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What dashboards have to tell of these calls, by key, counted the slow, obvious way. */
export function recountCalls(records: readonly CallRecord[], question: Question): Map<string, object> {
  const told = records.filter((one) => isAsked(one, question));
  return new Map([...Map.groupBy(told, (one) => toKey(one, question))].map(([key, some]) => [key, recount(some)]));
}

/** The range in full hours; where payers are asked for, in full days. */
export function toFullRange({ from, to, by, payer }: Question): { from: string; to: string } {
  const unit = by === 'payer' || payer !== undefined ? DAY_MS : HOUR_MS;
  return {
    from: new Date(Math.floor(Date.parse(from) / unit) * unit).toISOString(),
    to: new Date(Math.ceil(Date.parse(to) / unit) * unit).toISOString(),
  };
}

function isAsked(one: CallRecord, question: Question): boolean {
  const { from, to } = toFullRange(question);
  const { resourceId, version, model, payer } = question;
  return (
    !one.isTest &&
    one.callerUserId !== one.ownerId &&
    one.at >= new Date(from) &&
    one.at < new Date(to) &&
    (resourceId === undefined || one.resourceId === resourceId) &&
    (version === undefined || one.version === version) &&
    (model === undefined || one.evidence['model'] === model) &&
    (payer === undefined || one.payer === payer) &&
    (question.by !== 'payer' || one.payer !== null)
  );
}

function toKey(one: CallRecord, { by, timeZone = 'UTC' }: Question): string {
  const hour = new Date(Math.floor(one.at.getTime() / HOUR_MS) * HOUR_MS);
  switch (by) {
    case 'all':
      return '';
    case 'resource':
      return one.resourceId;
    case 'version':
      return `${one.resourceId}/${one.version}`;
    case 'model':
      return one.evidence['model'] as string;
    case 'payer':
      return one.payer ?? '';
    case 'hour':
      return hour.toISOString();
    case 'day':
      return hour.toLocaleDateString('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  }
}

function recount(counted: readonly CallRecord[]) {
  const count = (status: string) => counted.filter((one) => one.status === status).length;
  const hasPaid = (one: CallRecord) => one.transaction !== null && one.amountAtomic > 0n;
  const earned = counted.reduce((sum, one) => sum + (one.transaction ? one.amountAtomic : 0n), 0n);
  const cost = (isPlatform: boolean) =>
    counted
      .filter((one) => (one.keySource === 'platform') === isPlatform)
      .reduce((sum, one) => sum.plus(one.costUsd ?? 0), new Big(0));
  const revenue = new Big(earned.toString()).div(1e6);
  const answers = counted.filter(({ status }) => status === 'success');
  return {
    calls: count('success') + count('failed'),
    successes: count('success'),
    failures: count('failed'),
    unpaid: count('unpaid'),
    refused: count('refused'),
    owed: count('owed'),
    revenueUsdc: revenue.toFixed(),
    costUsd: cost(false).toFixed(),
    platformCostUsd: cost(true).toFixed(),
    marginUsd: revenue.minus(cost(false)).toFixed(),
    unknownCostCalls: counted.filter((one) => one.costUsd === null && one.status !== 'refused').length,
    payers: new Set(counted.filter((one) => hasPaid(one) && one.payer).map((one) => one.payer)).size,
    latencyMs: toPercentiles(answers.map(({ latencyMs }) => latencyMs)),
    firstOutputMs: toPercentiles(answers.map(({ firstOutputMs }) => firstOutputMs)),
  };
}

/** Nearest rank; a match is within 5 %. */
function toPercentiles(values: readonly (number | null)[]) {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const at = (share: number): unknown => {
    const exact = sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
    return expect.toSatisfy((found: number) => Math.abs(found - exact) <= exact * 0.05 + 0.5, `about ${exact}`);
  };
  return sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
