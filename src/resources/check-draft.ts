import {
  explainIssue,
  formatUsdc,
  parseAddress,
  parseUsdc,
  Problem,
  toFieldProblems,
  type FieldProblem,
} from '#kit/index.ts';
import { checkParameters } from './check-parameters.ts';
import type { Draft } from './draft.ts';
import type { PublishedVersion, ResourceKind } from './resource-kind.ts';
import type { ResourcesDeps } from './resources-deps.ts';
import { toInputExample, toInputSchema } from './to-input-schema.ts';

/** What a version takes from its draft. */
export type Content = Pick<
  PublishedVersion,
  | 'slug'
  | 'kind'
  | 'name'
  | 'description'
  | 'category'
  | 'tags'
  | 'priceAtomic'
  | 'network'
  | 'payTo'
  | 'timeoutSeconds'
  | 'parameters'
  | 'inputSchema'
  | 'config'
>;

type CheckResult = { ok: true; content: Content } | { ok: false; fields: FieldProblem[] };
type Check<T> = { value: T } | FieldProblem;

const DEFAULT_MAX_PRICE_ATOMIC = 1_000_000_000n;
/** Held in memory and told to whoever asks; the 402 says as much of it as its headers can carry. */
const MAX_PUBLIC_BYTES = 32_000;

interface Owned {
  ownerId: string;
  kind: string;
  draft: Draft;
}

/** Everything that stands in the way of publishing, at once; paths point into the draft. Opens no transaction. */
export async function checkDraft(deps: ResourcesDeps, owned: Owned): Promise<CheckResult> {
  const { draft } = owned;
  const price = checkPrice(draft.priceUsdc, deps.maxPriceAtomic ?? DEFAULT_MAX_PRICE_ATOMIC);
  const network = checkNetwork(draft.network, deps.networks);
  const payTo = checkPayTo(draft.payTo);
  const category: Check<string> =
    draft.category === null ? { path: '/category', message: 'Choose a category.' } : { value: draft.category };
  const kind = await checkKind(deps, owned);
  const parameters = checkParameters(draft.parameters);
  const fields = [...checkName(draft.name), ...parameters, ...('fields' in kind ? kind.fields : [])];
  if ('value' in price && 'value' in network && 'value' in payTo && 'value' in category && 'inputSchema' in kind) {
    const content: Content = {
      slug: draft.slug,
      kind: owned.kind,
      name: draft.name.trim(),
      description: draft.description,
      category: category.value,
      tags: draft.tags,
      priceAtomic: price.value,
      network: network.value,
      payTo: payTo.value,
      timeoutSeconds: draft.timeoutSeconds,
      parameters: draft.parameters,
      ...kind,
    };
    const all = [...fields, ...checkSize(content)];
    return all.length === 0 ? { ok: true, content } : { ok: false, fields: all };
  }
  const rest = [price, network, payTo, category].filter((check): check is FieldProblem => 'message' in check);
  return { ok: false, fields: [...fields, ...rest] };
}

function checkName(name: string): FieldProblem[] {
  return name.trim() === '' ? [{ path: '/name', message: 'Give the resource a name.' }] : [];
}

function checkPrice(priceUsdc: string | null, maxPriceAtomic: bigint): Check<bigint> {
  const path = '/priceUsdc';
  if (priceUsdc === null) {
    return { path, message: 'Set a price in USDC; "0" is free.' };
  }
  try {
    const value = parseUsdc(priceUsdc);
    return value <= maxPriceAtomic
      ? { value }
      : { path, message: `The price is at most ${formatUsdc(maxPriceAtomic)} USDC here.` };
  } catch (error) {
    return { path, message: error instanceof Problem ? error.message : 'This is not an amount of USDC.' };
  }
}

function checkNetwork(network: string | null, networks: readonly string[]): Check<string> {
  return network !== null && networks.includes(network)
    ? { value: network }
    : { path: '/network', message: `Choose one of the networks offered here: ${networks.join(', ')}.` };
}

function checkPayTo(payTo: string | null): Check<string> {
  const path = '/payTo';
  const address = payTo === null ? null : parseAddress(payTo);
  if (address === null) {
    return { path, message: 'Give the address that is paid: 0x and 40 hex digits, with a correct checksum if mixed.' };
  }
  return BigInt(address) === 0n ? { path, message: 'Nobody owns this address.' } : { value: address };
}

type KindCheck = Pick<Content, 'config' | 'inputSchema'> | { fields: FieldProblem[] };

async function checkKind(deps: ResourcesDeps, { ownerId, kind: name, draft }: Owned): Promise<KindCheck> {
  const kind = deps.kinds.find((candidate) => candidate.name === name);
  if (!kind) {
    return { fields: [{ path: '/kind', message: 'This kind of resource is not offered here any more.' }] };
  }
  const parsed = kind.configSchema.safeParse(draft.config, { error: explainIssue });
  if (!parsed.success) {
    return { fields: toFieldProblems(parsed.error).map(({ path, message }) => ({ path: `/config${path}`, message })) };
  }
  const config = parsed.data;
  const fields = await kind.checkPublishable(config, draft.parameters, ownerId);
  return fields.length > 0 ? { fields } : { config, inputSchema: toSchema(kind, config, draft) };
}

function toSchema(kind: ResourceKind, config: unknown, { parameters }: Draft): Content['inputSchema'] {
  return toInputSchema(parameters, { allowsUserMessage: kind.allowsUserMessage?.(config) ?? false });
}

function checkSize({ name, description, tags, parameters, inputSchema }: Content): FieldProblem[] {
  const shown = JSON.stringify([name, description, tags, inputSchema, toInputExample(parameters)]);
  const bytes = Buffer.byteLength(shown);
  const message =
    `What buyers are told (name, description, tags, parameters and their examples) takes ${bytes} bytes of at most ` +
    `${MAX_PUBLIC_BYTES}. Shorten descriptions, options or examples.`;
  return bytes > MAX_PUBLIC_BYTES ? [{ path: '/parameters', message }] : [];
}
