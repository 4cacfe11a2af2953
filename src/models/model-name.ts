/**
 * Suffixes that OpenRouter accepts behind any model id and that its catalogue does not list: they only choose the provider
 * (https://openrouter.ai/docs/guides/routing/model-variants/overview), or add a web search. All others, such as `:free`,
 * `:thinking`, `:extended` and `:batch`, are entries of the catalogue, with prices of their own.
 */
export const routingSuffixes = ['nitro', 'floor', 'exacto', 'online'] as const;
export type RoutingSuffix = (typeof routingSuffixes)[number];

/** One way to read what a creator wrote where a model is asked for. */
export interface ModelName {
  /** As the catalogue writes it, a suffix of the catalogue included; '' where a preset stands alone. */
  id: string;
  routing: RoutingSuffix[];
  /** The slug of a preset of the creator's account at OpenRouter, which may change any setting. */
  preset: string | null;
}

const PRESET = /^(.*?)@preset\/([A-Za-z0-9][A-Za-z0-9._-]{0,99})$/;
const SITE = /^(https?:\/\/)?(www\.)?openrouter\.ai\/(models\/)?/i;

/** What a name can mean, the likeliest first: as it is written, without routing suffixes, and in small letters. */
export function readModelName(text: string): readonly ModelName[] {
  const known = read.get(text);
  if (known) {
    return known;
  }
  const readings = listReadings(text);
  if (text.length <= MOST_KEPT_LENGTH) {
    if (read.size >= MOST_KEPT) {
      read.clear();
    }
    read.set(text, readings);
  }
  return readings;
}

/** The names of a version are asked for several times with each of its calls. */
const read = new Map<string, readonly ModelName[]>();
const MOST_KEPT = 1_000;
const MOST_KEPT_LENGTH = 200;

function listReadings(text: string): ModelName[] {
  const tidied = tidy(text);
  const [, written = tidied, preset = null] = PRESET.exec(tidied) ?? [];
  const { id, routing } = peel(written);
  const readings = [
    { id: written, routing: [], preset },
    { id, routing, preset },
    { id: written.toLowerCase(), routing: [], preset },
    { ...peel(written.toLowerCase()), preset },
  ];
  return readings.filter((one, index) => readings.findIndex((other) => other.id === one.id) === index);
}

/** What OpenRouter is asked for. */
export function toWireName({ id, routing, preset }: ModelName): string {
  const suffixes = routing.map((suffix) => `:${suffix}`).join('');
  return `${id}${suffixes}${preset === null ? '' : `@preset/${preset}`}`;
}

/** Without what people copy along: the site's address, or the prefix by which other programs choose OpenRouter. */
function tidy(text: string): string {
  const [path = ''] = text.trim().replace(SITE, '').split(/[?#]/);
  const name = path.replace(/\/+$/, '');
  const [first = '', ...rest] = name.split('/');
  const isPrefixed = first.toLowerCase() === 'openrouter' && rest.length > 1;
  return isPrefixed ? rest.join('/') : name;
}

function peel(written: string): Pick<ModelName, 'id' | 'routing'> {
  const [base = '', ...suffixes] = written.split(':');
  const isRouting = (suffix: string): suffix is RoutingSuffix =>
    (routingSuffixes as readonly string[]).includes(suffix.toLowerCase());
  const routing = suffixes.filter(isRouting).map((suffix) => suffix.toLowerCase() as RoutingSuffix);
  return { id: [base, ...suffixes.filter((suffix) => !isRouting(suffix))].join(':'), routing };
}
