import { Big } from 'big.js';
import { isRequired, type CostQuote } from '#resources/index.ts';
import type { PricedMedia } from './priced-media.ts';
import { readSku, type Sku } from './read-sku.ts';

/**
 * What a price of a film counts stands in its name alone. Of a name that tells no unit the film is taken to be meant
 * typically, and each of its seconds at worst. Null where a name speaks of something else, or where seconds are counted and
 * nobody says how many. Pictures that are sent along cost what the list says of them: those that always are typically, all
 * that may be at worst.
 */
export function priceVideo({ model, settings, prices, pictures }: PricedMedia): CostQuote | null {
  const { video } = prices;
  const { durationSeconds } = settings.video ?? {};
  const skus = Object.entries(video?.skus ?? {}).map(([name, usd]) => readSku(name, usd));
  const known = video?.durationsSeconds ?? [];
  const seconds = durationSeconds === undefined ? known : [durationSeconds];
  const [shortest, longest] = [Math.min(...seconds), Math.max(...seconds)];
  const fitting = chooseSkus(skus, settings.video ?? {}, pictures);
  if (fitting.length === 0 || seconds.length === 0 || skus.some(({ counts }) => counts === 'unknown')) {
    return null;
  }
  const costs = fitting.map(({ counts, usd }) => ({
    typical: usd.times(counts === 'second' ? shortest : 1),
    worst: usd.times(longest),
  }));
  const typical = toSorted(costs.map((cost) => cost.typical))[0] ?? new Big(0);
  const worst = toSorted(costs.map((cost) => cost.worst)).at(-1) ?? new Big(0);
  const perPicture = findDearest(skus, 'picture');
  const least = findDearest(skus, 'least');
  const always = pictures.filter(isRequired).length;
  const says = [
    `${model.openrouterId} at its price list (${fitting.map(({ name }) => name).join(', ')}): ${shortest} to ${longest} seconds; a price whose name tells no unit is taken for one second at worst.`,
    ...(perPicture.eq(0) || pictures.length === 0
      ? []
      : [`${always} to ${pictures.length} pictures that are sent along, each ${perPicture.toFixed()} USD.`]),
  ];
  return {
    typicalUsd: toMost(typical.plus(perPicture.times(always)), least).toFixed(),
    worstUsd: toMost(worst.plus(perPicture.times(pictures.length)), least).toFixed(),
    basis: says.join(' '),
  };
}

/** Those of the film that is asked for; where none speaks of it, all. */
function chooseSkus(
  skus: readonly Sku[],
  { resolution, sound }: { resolution?: string | undefined; sound?: boolean | undefined },
  pictures: PricedMedia['pictures'],
): Sku[] {
  const ofFilms = skus.filter(({ counts }) => counts === 'second' || counts === 'film');
  const modes = new Set([
    ...(pictures.length > 0 ? ['pictures'] : []),
    ...(pictures.some(isRequired) ? [] : ['words']),
  ]);
  const filters: ((sku: Sku) => boolean)[] = [
    ({ from }) => from === null || modes.has(from),
    ({ name }) => resolution === undefined || name.toLowerCase().includes(resolution.toLowerCase()),
    ({ isSilent }) => sound === undefined || isSilent !== sound,
  ];
  return filters.reduce((left, isOf) => {
    const narrowed = left.filter(isOf);
    return narrowed.length > 0 ? narrowed : left;
  }, ofFilms);
}

function findDearest(skus: readonly Sku[], counts: Sku['counts']): Big {
  return toSorted(skus.filter((sku) => sku.counts === counts).map(({ usd }) => usd)).at(-1) ?? new Big(0);
}

function toSorted(costs: readonly Big[]): Big[] {
  return costs.toSorted((one, other) => one.cmp(other));
}

function toMost(one: Big, other: Big): Big {
  return one.gt(other) ? one : other;
}
