import { isMedia } from '#resources/index.ts';
import type { UsableModel } from './named-model.ts';
import type { QuotedCall } from './quote-cost.ts';

/** Sizes of prompts that are kept for one version; with one more they are forgotten. */
const MOST_SIZES = 500;

interface Kept<Told> {
  models: readonly UsableModel[];
  feePercent: string | undefined;
  bySize: Map<string, { told: Told }>;
}

/**
 * What a call may cost is decided by its models, the settings of its version and the size of its prompt. Rows of the
 * catalogue stay the same objects until something of them changes, so what `make` told is told again while they are the
 * same. Calls with files are priced each by itself.
 */
export function recallBySize<Told>(make: (call: QuotedCall) => Told): (call: QuotedCall) => Told {
  const known = new WeakMap<QuotedCall['settings'], Kept<Told>>();
  const keep = ({ settings, models, feePercent }: QuotedCall): Kept<Told> => {
    const kept = { models, feePercent, bySize: new Map<string, { told: Told }>() };
    known.set(settings, kept);
    return kept;
  };
  return (call) => {
    if (call.inputs?.some(isMedia)) {
      return make(call);
    }
    const found = known.get(call.settings);
    const kept = found && isOf(found, call) && found.bySize.size <= MOST_SIZES ? found : keep(call);
    const size = `${call.prompt.typicalTokens} ${call.prompt.worstTokens}`;
    const quote = kept.bySize.get(size) ?? { told: make(call) };
    kept.bySize.set(size, quote);
    return quote.told;
  };
}

function isOf(kept: Kept<unknown>, { models, feePercent }: QuotedCall): boolean {
  return (
    kept.feePercent === feePercent &&
    kept.models.length === models.length &&
    kept.models.every(({ model, wireName }, index) => {
      const other = models[index];
      return other?.model === model && other.wireName === wireName;
    })
  );
}
