import type { FieldProblem } from '#kit/index.ts';
import type { Draft } from './draft.ts';
import { isMedia } from './media-parameter.ts';
import { toSettlementPoints, type ResourceKind, type VersionOffer } from './resource-kind.ts';

/** `offers`: null where they are not known yet. */
export function checkBatch(
  { batch, parameters }: Draft,
  kind: ResourceKind | undefined,
  offers: readonly VersionOffer[] | null,
): FieldProblem[] {
  if (!batch) {
    return [];
  }
  const upfront = 'Many inputs at once are paid before they run, which this kind of resource cannot be.';
  const files = 'Parameters that take files are sent one call at a time: leave batch out, or take text in their place.';
  const free = 'What is free is called one input at a time: set a price, or leave batch out.';
  return [
    ...(kind && !toSettlementPoints(kind).includes('upfront') ? [upfront] : []),
    ...(parameters.some(isMedia) ? [files] : []),
    ...(offers?.length === 0 ? [free] : []),
  ].map((message) => ({ path: '/batch', message }));
}
