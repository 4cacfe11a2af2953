import type { Sort } from './choose-endpoint.ts';

/** What may stand behind any model id, in any number; everything else is an entry of the catalogue, or no model at all. */
const routingSuffixes = new Set(['nitro', 'floor', 'exacto', 'online']);
const PRESET = /^(.*?)@preset\/([A-Za-z0-9][A-Za-z0-9._-]*)$/;

export interface AskedModel {
  /** '' where a preset stands alone. */
  id: string;
  /** By what providers are preferred. */
  sort: Sort | null;
  /** One web search is made, and billed. */
  isOnline: boolean;
  /** Every preset exists here, and changes nothing. */
  preset: string | null;
}

/** Reads `author/slug:suffix@preset/name` as OpenRouter does: it knows no other letters and no other prefixes. */
export function readModelName(text: string, isListed: (id: string) => boolean): AskedModel {
  const [, written = text, preset = null] = PRESET.exec(text) ?? [];
  if (isListed(written)) {
    return { id: written, sort: null, isOnline: false, preset };
  }
  const [base = '', ...suffixes] = written.split(':');
  const left = suffixes.filter((suffix) => !routingSuffixes.has(suffix));
  return {
    id: [base, ...left].join(':'),
    sort: sortOf(suffixes),
    isOnline: suffixes.includes('online'),
    preset,
  };
}

function sortOf(suffixes: readonly string[]): Sort | null {
  if (suffixes.includes('nitro')) {
    return 'throughput';
  }
  return suffixes.includes('floor') ? 'price' : suffixes.includes('exacto') ? 'exacto' : null;
}
