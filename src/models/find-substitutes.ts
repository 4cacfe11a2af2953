import { Big } from 'big.js';
import type { Model } from './model.ts';
import { priceUsage } from './price-usage.ts';

export interface Usage {
  promptTokens: number;
  completionTokens: number;
}

export interface Substitute {
  model: Model;
  costUsd: string;
  /** More or less than the model that is to be replaced; null where nobody knows. */
  differenceUsd: string | null;
}

/**
 * Models that read and write all that `model` does, take as long a prompt and all of its parameters, and outlive it; the
 * cheapest first. Routers, moving aliases and models of unknown price are none.
 */
export function findSubstitutes(model: Model, models: readonly Model[], usage: Usage): Substitute[] {
  const now = priceUsage(model.pricing, usage, 'usual');
  return models
    .filter((one) => isSubstitute(model, one))
    .flatMap((one) => {
      const costUsd = priceUsage(one.pricing, usage, 'usual');
      return costUsd === null
        ? []
        : [{ model: one, costUsd, differenceUsd: now === null ? null : new Big(costUsd).minus(now).toFixed() }];
    })
    .toSorted(
      (one, other) =>
        new Big(one.costUsd).cmp(other.costUsd) || one.model.openrouterId.localeCompare(other.model.openrouterId, 'en'),
    );
}

function isSubstitute(model: Model, one: Model): boolean {
  const hasAll = (needed: readonly string[], offered: readonly string[]): boolean =>
    needed.every((word) => offered.includes(word));
  return (
    one.openrouterId !== model.openrouterId &&
    one.isActive &&
    one.missingSince === null &&
    !one.isRouter &&
    !one.openrouterId.startsWith('~') &&
    (one.expirationDate === null || (model.expirationDate !== null && one.expirationDate > model.expirationDate)) &&
    hasAll(model.inputModalities, one.inputModalities) &&
    hasAll(model.outputModalities, one.outputModalities) &&
    hasAll(model.supportedParameters, one.supportedParameters) &&
    (one.contextLength ?? Number.MAX_SAFE_INTEGER) >= (model.contextLength ?? 0)
  );
}
