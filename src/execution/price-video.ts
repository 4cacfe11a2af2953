import { Big } from 'big.js';
import type { CostQuote } from '#resources/index.ts';
import type { PricedMedia } from './priced-media.ts';

/**
 * What a price of a film counts stands in its name alone. Of a name that tells no unit the film is taken to be meant
 * typically, and each of its seconds at worst. Null where a name speaks of something else, or where seconds are counted and
 * nobody says how many.
 */
export function priceVideo({ model, settings, prices }: PricedMedia): CostQuote | null {
  const { video } = prices;
  const { durationSeconds, resolution, sound } = settings.video ?? {};
  const all = Object.entries(video?.skus ?? {});
  const known = video?.durationsSeconds ?? [];
  const seconds = durationSeconds === undefined ? known : [durationSeconds];
  const [shortest, longest] = [Math.min(...seconds), Math.max(...seconds)];
  if (all.length === 0 || seconds.length === 0 || all.some(([name]) => /token|pixel|frame/i.test(name))) {
    return null;
  }
  const named = all.filter(
    ([name]) => resolution === undefined || name.toLowerCase().includes(resolution.toLowerCase()),
  );
  const ofSize = named.length > 0 ? named : all;
  const heard = ofSize.filter(([name]) => sound === undefined || isSilent(name) !== sound);
  const fitting = heard.length > 0 ? heard : ofSize;
  const costs = fitting.map(([name, usd]) => {
    const isPerSecond = /second|duration|per_s\b/i.test(name);
    return { typical: new Big(usd).times(isPerSecond ? shortest : 1), worst: new Big(usd).times(longest) };
  });
  const typical = costs.map((cost) => cost.typical).toSorted((one, other) => one.cmp(other))[0];
  const worst = costs.map((cost) => cost.worst).toSorted((one, other) => other.cmp(one))[0];
  return typical === undefined || worst === undefined
    ? null
    : {
        typicalUsd: typical.toFixed(),
        worstUsd: worst.toFixed(),
        basis: `${model.openrouterId} at its price list (${fitting.map(([name]) => name).join(', ')}): ${shortest} to ${longest} seconds; a price whose name tells no unit is taken for one second at worst.`,
      };
}

function isSilent(name: string): boolean {
  return /without_audio|no_audio|silent|mute/i.test(name);
}
