import type { FieldProblem } from '#kit/index.ts';
import { isRequired, type Parameter } from '#resources/index.ts';
import type { Capability, ImageEndpoint, ImageProviders } from '#upstreams/index.ts';
import { listValues } from './check-filled.ts';
import { listFilled } from './fill-settings.ts';
import type { MediaSettings } from './media-settings.ts';
import { findPictureParameters, listPictures } from './picture-inputs.ts';
import { isTag, type ProviderSettings } from './provider-settings.ts';

interface Configured {
  settings: MediaSettings & { provider?: ProviderSettings | undefined };
  parameters: readonly Parameter[];
}

/** What a provider must take. */
interface Wanted {
  /** On the wire. */
  name: string;
  path: string;
  /** Every value that a call may have; of a number its least and its most. */
  values: (string | number)[];
}

const wireNames = {
  aspectRatio: 'aspect_ratio',
  imageSize: 'resolution',
  quality: 'quality',
  background: 'background',
  outputFormat: 'output_format',
  outputCompression: 'output_compression',
  n: 'n',
  seed: 'seed',
} as const;
const REFERENCES = 'input_references';

function listWanted({ settings, parameters }: Configured): Wanted[] {
  const { imageConfig } = settings;
  const filled = new Map(listFilled('images', settings).map((one) => [one.field, one]));
  const wanted = Object.entries(wireNames).map(([field, name]) => {
    const by = filled.get(field);
    const fixed = imageConfig?.[field as keyof typeof wireNames];
    const values = by ? listValues(by, parameters) : fixed === undefined ? [] : [fixed];
    return { name, path: by?.path ?? `/config/imageConfig/${field}`, values };
  });
  const pictures = findPictureParameters(listPictures('images', settings), parameters);
  const counts = [pictures.filter(isRequired).length, pictures.length].filter((count) => count > 0);
  return [...wanted, { name: REFERENCES, path: '/config/imageConfig/references', values: counts }]
    .map(({ values, ...rest }) => ({ ...rest, values: values.filter((value) => !isUsual(rest.name, value)) }))
    .filter(({ values }) => values.length > 0);
}

/** What is no wish at all. */
function isUsual(name: string, value: string | number): boolean {
  return value === 'auto' || (name === 'n' && value === 1);
}

/** A provider that tells nothing of its settings is taken to take them. */
function takes({ capabilities }: ImageEndpoint, { name, values }: Wanted): boolean {
  const told = capabilities === null ? ({ type: 'any' } as const) : capabilities[name];
  return told !== undefined && values.every((value) => allows(told, value));
}

function allows(told: Capability, value: string | number): boolean {
  switch (told.type) {
    case 'enum':
      return told.values.includes(String(value));
    case 'range':
      return typeof value === 'number' && value >= told.min && value <= told.max;
    case 'any':
      return true;
  }
}

export interface ChosenEndpoints {
  endpoints: readonly ImageEndpoint[];
  /** What the request says of providers; null where any may answer. */
  provider: ImageProviders | null;
}

/** The providers that the creator allows and that take all of the settings; null where there are none that could be chosen. */
export function chooseEndpoints(endpoints: readonly ImageEndpoint[], configured: Configured): ChosenEndpoints | null {
  const wanted = listWanted(configured);
  const { provider } = configured.settings;
  const allowed = endpoints.filter((endpoint) => isAllowed(endpoint, provider));
  const fitting = allowed.filter((endpoint) => wanted.every((one) => takes(endpoint, one)));
  if (allowed.length === 0) {
    return null;
  }
  if (fitting.length === allowed.length) {
    return { endpoints: allowed, provider: toProviders(provider) };
  }
  const named = fitting.flatMap((endpoint) => (endpoint.tag === null ? [] : [{ endpoint, tag: endpoint.tag }]));
  const only = [...new Set(named.map(({ tag }) => tag))];
  return named.length === 0
    ? null
    : { endpoints: named.map(({ endpoint }) => endpoint), provider: { ...toProviders(provider), only } };
}

/** A provider without a name cannot be told from others. */
function isAllowed({ tag }: ImageEndpoint, settings: ProviderSettings = {}): boolean {
  const { order, only, ignore = [], allowFallbacks } = settings;
  const isNamed = (list: readonly string[]): boolean => tag !== null && list.some((one) => isTag(tag, one));
  return (
    (only === undefined || isNamed(only)) &&
    (order === undefined || allowFallbacks !== false || isNamed(order)) &&
    !isNamed(ignore)
  );
}

/** What a creator says of providers, in so far as `/images` takes it (`checkProviderOfPictures`). */
export function toProviders(settings: ProviderSettings | undefined): ImageProviders | null {
  const { order, only, ignore, allowFallbacks, sort } = settings ?? {};
  return settings === undefined ? null : { order, only, ignore, allowFallbacks, sort };
}

const ofPictures: ReadonlySet<string> = new Set(['order', 'only', 'ignore', 'allowFallbacks', 'sort']);

/** `ImageGenerationProviderPreferences` of OpenRouter's OpenAPI document knows fewer words than that of chats. */
export function checkProviderOfPictures(settings: ProviderSettings | undefined): FieldProblem[] {
  return Object.keys(settings ?? {})
    .filter((field) => !ofPictures.has(field))
    .map((field) => ({
      path: `/config/provider/${field}`,
      message:
        'Of providers of pictures only order, only, ignore, allowFallbacks and sort can be chosen. Leave it out.',
    }));
}

/** Settings that no provider of the model takes. */
export function checkEndpoints(modelId: string, all: readonly ImageEndpoint[], configured: Configured): FieldProblem[] {
  const wanted = listWanted(configured);
  const endpoints = all.filter((endpoint) => isAllowed(endpoint, configured.settings.provider));
  if (endpoints.length === 0) {
    const known = all.flatMap(({ tag }) => (tag === null ? [] : [tag]));
    const message = `No provider of ${modelId} may answer with these settings. It is served by: ${known.join(', ')}.`;
    return [{ path: '/config/provider', message }];
  }
  const problems = wanted
    .filter((one) => !endpoints.some((endpoint) => takes(endpoint, one)))
    .map(({ name, path, values }) => {
      const known = [...new Set(endpoints.flatMap(({ capabilities }) => toList(capabilities?.[name])))];
      const what = name === REFERENCES ? `${values.join(' to ')} pictures to go by` : `${name} ${values.join(', ')}`;
      const ending = known.length === 0 ? 'Leave it out.' : `It takes: ${known.slice(0, 20).join(', ')}.`;
      return { path, message: `${modelId} does not take ${what}. ${ending}` };
    });
  const isApart = problems.length === 0 && chooseEndpoints(endpoints, configured) === null;
  const message = `No provider of ${modelId} takes all of these settings together: ${wanted.map(({ name }) => name).join(', ')}.`;
  return isApart ? [{ path: '/config/imageConfig', message }] : problems;
}

function toList(told: Capability | undefined): string[] {
  switch (told?.type) {
    case 'enum':
      return [...told.values];
    case 'range':
      return [`${told.min} to ${told.max}`];
    default:
      return [];
  }
}
