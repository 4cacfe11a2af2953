import { Big } from 'big.js';
import type { FieldProblem } from '#kit/index.ts';
import { toLowestPrice, withoutCode, type CostQuote, type VersionOffer } from '#resources/index.ts';
import { chooseModels, type ChosenModels, type UsableModel } from './named-model.ts';
import type { ExecutionDeps, KnownModel } from './execution-deps.ts';

interface Question {
  /** As the config names them, with the JSON Pointer of each. */
  named: readonly { modelId: string; path: string }[];
  declared?: KnownModel | null;
  offers: readonly VersionOffer[];
  quote: CostQuote | null;
}

/** What does not stand against a sale, but may not be meant: for the creator. */
export async function listModelWarnings(
  deps: Pick<ExecutionDeps, 'findModel' | 'clock'>,
  { named, declared, offers, quote }: Question,
): Promise<FieldProblem[]> {
  const chosen = await chooseModels(
    deps,
    named.map(({ modelId }) => modelId),
    declared === undefined ? {} : { declared },
  );
  const pathOf = new Map(named.map(({ modelId, path }) => [modelId, path]));
  const about = (written: string, message: string): FieldProblem => ({
    path: pathOf.get(written) ?? '/config',
    message,
  });
  return [
    ...chosen.usable.flatMap((model) => warnOfModel(model).map((message) => about(model.written, message))),
    ...warnOfStandIn(chosen).map(({ written, message }) => about(written, message)),
    ...(chosen.usable.length === 0 ? [] : warnOfPrice(offers, quote)),
  ];
}

function warnOfModel({ written, model, wireName, preset, isDeclared }: UsableModel): string[] {
  const { openrouterId: id, missingSince, oddFields, oddSince, expirationDate } = model;
  return [
    ...(wireName === written.trim() ? [] : [`This is read as ${wireName}.`]),
    ...(preset === null
      ? []
      : [
          `The preset "${preset}" of your OpenRouter account may change model, prompt and limits, which is not seen here.`,
        ]),
    ...(isDeclared
      ? ['Its limits and prices are those that you declared. What OpenRouter bills beyond them is your loss.']
      : []),
    ...(preset === null && model.isRouter ? ['A router picks a model for each call by itself.'] : []),
    ...(missingSince === null
      ? []
      : [`OpenRouter's list lacks ${id} since ${missingSince}. If it stays away, this can be sold no longer.`]),
    ...(oddSince === null
      ? []
      : [
          `OpenRouter's list says of ${id} what cannot be read since ${oddSince} (${oddFields.map(({ field }) => field).join(', ')}); what it said before is used.`,
        ]),
    ...(expirationDate === null ? [] : [`OpenRouter ends ${id} on ${expirationDate}.`]),
  ];
}

/** The first model is gone and another one does its work. */
function warnOfStandIn({ usable, faults }: ChosenModels): { written: string; message: string }[] {
  const [standIn] = usable;
  return standIn === undefined
    ? []
    : faults.map(({ written, fault }) => ({
        written,
        message: `${withoutCode(fault)} Calls run on ${standIn.wireName}.`,
      }));
}

function warnOfPrice(offers: readonly VersionOffer[], quote: CostQuote | null): FieldProblem[] {
  if (quote === null) {
    return [
      { path: '/priceUsdc', message: 'What a call costs you is not known before it, so neither is your margin.' },
    ];
  }
  const { typicalUsd, worstUsd, basis } = quote;
  const price = toLowestPrice(offers);
  if (new Big(price).lt(typicalUsd)) {
    const message = `You lose money on every call: one typically costs you ${typicalUsd} USD, at worst ${worstUsd} USD, and the price is ${price} USDC. Assumed: ${basis}`;
    return [{ path: '/priceUsdc', message }];
  }
  const message = `A call can cost you more than it brings: at worst ${worstUsd} USD, and the price is ${price} USDC; typically it is ${typicalUsd} USD. Assumed: ${basis}`;
  return new Big(price).lt(worstUsd) ? [{ path: '/priceUsdc', message }] : [];
}
