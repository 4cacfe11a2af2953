import { z } from 'zod';
import type { FieldProblem } from '#kit/index.ts';
import { withoutCode, type PublishedVersion, type Readiness } from '#resources/index.ts';
import { findUrlFault, type ChatMessage, type ChatRequest, type Upstream } from '#upstreams/index.ts';
import { askForJson } from './ask-for-json.ts';
import type { ChatSettings } from './chat-settings.ts';
import type { ExecutionDeps } from './execution-deps.ts';
import type { FoundKey } from './find-key.ts';
import type { OutputContract } from './output-contract.ts';

/** The name of the secret of the resource that holds the key itself. */
const UPSTREAM_KEY_FIELD = 'upstream_api_key';

/** An upstream that speaks chat completions, at a URL that its creator names. */
export const chatPlace = z.strictObject({
  type: z.literal('chat_completions'),
  /** Such as `https://api.example.com/v1`; `/chat/completions` is added. */
  baseUrl: z.string().max(2_000),
  /** Null: it takes no key, as servers in one's own network do. */
  apiKeySecret: z.literal(UPSTREAM_KEY_FIELD).nullable().default(UPSTREAM_KEY_FIELD),
});
export type ChatPlace = z.output<typeof chatPlace>;

const NO_UPSTREAM_KEY =
  'key_missing: No API key is stored for the upstream of this resource. Store one with PUT /api/resources/{id}/secrets/upstream_api_key {"value": "…"}, or set "apiKeySecret": null if it takes none.';

type Owned = Pick<PublishedVersion, 'resourceId' | 'ownerId'>;

/** Is there what a call of it needs? It is not asked itself: it is the creator's, and may be slow. */
export async function askChatPlace(
  deps: Pick<ExecutionDeps, 'openUpstreamKey'>,
  version: Owned,
  { apiKeySecret }: ChatPlace,
): Promise<Readiness> {
  const isThere = apiKeySecret === null || (await deps.openUpstreamKey(version)) !== null;
  return isThere ? { ready: true } : { ready: false, cause: NO_UPSTREAM_KEY };
}

/** What a call is sent with, or why it cannot be sent, for the creator. */
export async function openChatPlace(
  deps: ExecutionDeps,
  version: Owned,
  { baseUrl, apiKeySecret }: ChatPlace,
): Promise<{ key: FoundKey; upstream: Upstream } | { fault: string }> {
  const apiKey = apiKeySecret === null ? '' : await deps.openUpstreamKey(version);
  const urlFault = findUrlFault(deps.outbound, baseUrl);
  if (apiKey === null || urlFault !== null) {
    return { fault: urlFault === null ? NO_UPSTREAM_KEY : `upstream_url: ${urlFault}` };
  }
  return { key: { apiKey, source: 'upstream' }, upstream: deps.chatCompletions.at(baseUrl) };
}

/** What the upstream says of its models, for the creator. */
export async function listPlaceModels(deps: ExecutionDeps, version: Owned, place: ChatPlace & { model: string }) {
  const found = await openChatPlace(deps, version, place);
  if ('fault' in found) {
    return { models: [], isListed: null, problem: withoutCode(found.fault) };
  }
  const told = await deps.chatCompletions.listModels({ baseUrl: place.baseUrl, apiKey: found.key.apiKey });
  return told.ok
    ? { models: told.ids, isListed: told.ids.includes(place.model), problem: null }
    : { models: [], isListed: null, problem: toProblem(told.status) };
}

function toProblem(status: number | null): string {
  if (status === 401 || status === 403) {
    return `The upstream does not accept the key (status ${status}). Store another one.`;
  }
  return status === null
    ? 'The upstream did not answer. Check baseUrl, and whether it can be reached from this server.'
    : `The upstream has no list of models at baseUrl + "/models" (status ${status}). It may work all the same: test the draft.`;
}

interface PlainParts {
  model: string;
  settings: ChatSettings;
  messages: readonly ChatMessage[];
  contract: OutputContract | null;
}

/** A request with what every upstream of the format may know. */
export function toPlainRequest({ model, settings, messages, contract }: PlainParts): ChatRequest {
  const { maxTokens, temperature, topP, frequencyPenalty, presencePenalty, reasoning } = settings;
  const asked = contract === null ? { messages } : askForJson({ contract, messages, takes: 'unknown' });
  return { model, ...asked, maxTokens, temperature, topP, frequencyPenalty, presencePenalty, reasoning };
}

type Wishes = ChatSettings & { model: string; declaredModel?: unknown };

/** Everything that stands against publishing with this upstream. */
export function checkChatPlace(
  deps: Pick<ExecutionDeps, 'outbound'>,
  { baseUrl }: ChatPlace,
  wishes: Wishes,
): FieldProblem[] {
  const urlFault = findUrlFault(deps.outbound, baseUrl);
  const unheard = onlyOnOpenRouter.filter(({ isSet }) => isSet(wishes));
  return [
    ...(wishes.model.trim() === '' ? [{ path: '/config/model', message: 'Name the model of the upstream.' }] : []),
    ...(urlFault === null ? [] : [{ path: '/config/upstream/baseUrl', message: urlFault }]),
    ...unheard.map(({ name, message }) => ({ path: `/config/${name}`, message })),
  ];
}

interface OnlyThere {
  name: string;
  message: string;
  isSet(wishes: Wishes): boolean;
}

/** Settings that have no form in plain chat completions. */
const onlyOnOpenRouter: readonly OnlyThere[] = [
  { name: 'imageConfig', message: 'Images are made only through OpenRouter.', isSet: (it) => Boolean(it.imageConfig) },
  {
    name: 'provider',
    message: 'Providers are chosen only for models of OpenRouter.',
    isSet: (it) => Boolean(it.provider),
  },
  {
    name: 'pdfEngine',
    message: 'Only OpenRouter has a choice of what reads PDFs.',
    isSet: (it) => Boolean(it.pdfEngine),
  },
  { name: 'webSearch', message: 'The web is searched only through OpenRouter.', isSet: (it) => Boolean(it.webSearch) },
  {
    name: 'declaredModel',
    message: 'Models are declared for OpenRouter only: what this upstream costs you is not counted here.',
    isSet: (it) => Boolean(it.declaredModel),
  },
  {
    name: 'reasoning',
    message: 'Of reasoning only {"effort": …} is told to this upstream.',
    isSet: ({ reasoning }) => reasoning?.maxTokens !== undefined || reasoning?.exclude !== undefined,
  },
];
