import { Big } from 'big.js';
import { formatUsdc, type FieldProblem } from '#kit/index.ts';
import type { Draft } from './draft.ts';
import type { MeasuredUse, UseMeasure } from './measured-use.ts';
import type { VersionOffer } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';

/** Of USDC. */
const DECIMALS = 6;

export function toUseMeasure(
  measuredUse: MeasuredUse | null | undefined,
  maxAtomic: bigint,
): { useMeasure?: UseMeasure } {
  if (!measuredUse) {
    return {};
  }
  const { baseUsdc = '0', marginPercent, inputUsdcPerMillion = '0', outputUsdcPerMillion = '0' } = measuredUse;
  const useMeasure = {
    baseUsdc,
    perCostUsd: marginPercent === undefined ? '0' : new Big(marginPercent).div(100).plus(1).toFixed(),
    perInputToken: perToken(inputUsdcPerMillion),
    perOutputToken: perToken(outputUsdcPerMillion),
    maxUsdc: formatUsdc(maxAtomic),
    isCharged: measuredUse.isCharged ?? false,
  };
  return { useMeasure };
}

/** Exact: a million is a shift of six places, which no division rounds. */
function perToken(perMillion: string): string {
  return new Big(perMillion).times('0.000001').toFixed();
}

interface KnownUse {
  costUsd: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
}

/** Rounded up to one atomic unit, from nothing to the most; null where something that counts is not known. */
export function measureUse(measure: UseMeasure, { costUsd, inputTokens, outputTokens }: KnownUse): string | null {
  const parts: [string, string | number | null][] = [
    [measure.baseUsdc, 1],
    [measure.perCostUsd, costUsd],
    [measure.perInputToken, inputTokens],
    [measure.perOutputToken, outputTokens],
  ];
  let sum = new Big(0);
  for (const [factor, amount] of parts.filter(([price]) => Number(price) > 0)) {
    if (amount === null) {
      return null;
    }
    sum = sum.plus(new Big(factor).times(amount));
  }
  const up = sum.round(DECIMALS, Big.roundUp);
  return up.gt(measure.maxUsdc) ? measure.maxUsdc : up.toFixed();
}

/** What must hold of a rule before it can be published. */
export function checkMeasuredUse(
  { payable }: Pick<ResourcesDeps, 'payable'>,
  { measuredUse }: Pick<Draft, 'measuredUse'>,
  offers: readonly VersionOffer[],
): FieldProblem[] {
  if (!measuredUse) {
    return [];
  }
  const { isCharged = false, ...parts } = measuredUse;
  const path = '/measuredUse';
  if (Object.values(parts).every((part) => part === undefined || Number(part) === 0)) {
    return [
      { path, message: 'Say what is measured: a margin on the cost, a price for tokens, or a price for each call.' },
    ];
  }
  if (offers.length === 0) {
    return [{ path, message: 'What is free is not charged by use: set the most that a call costs as its price.' }];
  }
  const chargesUse = (offer: VersionOffer): boolean =>
    payable.some((way) => way.scheme === offer.scheme && way.network === offer.network && way.chargesUse === true);
  const isPayable = !isCharged || offers.every(chargesUse);
  const message =
    'Charging by use needs the upto scheme: a payment with "exact" moves the whole price or nothing. Leave isCharged out to have the use measured and shown to you.';
  return isPayable ? [] : [{ path: `${path}/isCharged`, message }];
}
