import type { FieldProblem } from '#kit/index.ts';
import type { CostQuote, Parameter, Unpriced } from '#resources/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import { checkMedia, findSource } from './check-media.ts';
import { checkVideo } from './check-video.ts';
import { checkChoice, checkModel, toModalities } from './check-model.ts';
import { checkProvider, explainUnpriced } from './check-provider.ts';
import type { ExecutionDeps, KnownModel } from './execution-deps.ts';
import { listFilled } from './fill-settings.ts';
import { findMediaPrices } from './find-media-prices.ts';
import { checkEndpoints, chooseEndpoints } from './image-endpoints.ts';
import { checkInputs } from './inputs/input-modalities.ts';
import { measureParameter, type PromptSize } from './measure-prompt.ts';
import type { MediaSettings } from './media-settings.ts';
import { findRoute, type ModelRoute } from './model-route.ts';
import { chooseModels, findNamedModel, type ModelNeed, type UsableModel } from './named-model.ts';
import { findPictureParameters, listPictures } from './picture-inputs.ts';
import { priceMediaOutput, whyUnpriced } from './price-media.ts';
import { quoteCost, type QuotedCall } from './quote-cost.ts';

/** A config with the parameters of its version. */
export interface Configured {
  settings: ChatSettings & MediaSettings;
  parameters: readonly Parameter[];
  /** Of one call: those that it has values of. */
  sent?: readonly Parameter[];
}

interface NamedModels {
  named: readonly { modelId: string; path: string }[];
  /** What the creator says of the first of them. */
  declared: KnownModel | null;
}

/** How the first of the models that can run is run; a chat where none of them is known. */
export async function chooseRoute(
  deps: Pick<ExecutionDeps, 'findModel' | 'clock'>,
  names: readonly string[],
  { declared }: Pick<ModelNeed, 'declared'>,
): Promise<ModelRoute> {
  const { usable } = await chooseModels(deps, names, { declared: declared ?? null });
  return toRoute(usable);
}

function toRoute([first]: readonly UsableModel[]): ModelRoute {
  return (first && findRoute(first.model)) ?? 'chat';
}

/** Which form the answers of a version have: `text` alone, of a chat with pictures (`chat`) or with sound (`spoken`), or of a route. */
export async function chooseForm(
  deps: Pick<ExecutionDeps, 'findModel' | 'clock'>,
  names: readonly string[],
  { declared, audio }: Pick<ModelNeed, 'declared'> & Pick<MediaSettings, 'audio'>,
): Promise<ModelRoute | 'spoken' | 'text'> {
  const { usable } = await chooseModels(deps, names, { declared: declared ?? null });
  const route = toRoute(usable);
  if (route !== 'chat' || audio !== undefined) {
    return route === 'chat' ? 'spoken' : route;
  }
  return usable.length > 0 && usable.every(({ model }) => toModalities(model).every((one) => one === 'text'))
    ? 'text'
    : 'chat';
}

/** What a prompt may leave out on a route. */
export function toPromptRules(route: ModelRoute, configured: Configured) {
  const source = findSource(route, configured);
  const filled = listFilled(route, configured.settings).map(({ parameter }) => parameter);
  return { beside: source === null ? filled : [source, ...filled], mayBeEmpty: route === 'transcription' };
}

/** Everything that stands against publishing with these models, each by its route. Those that stand in must go by the same. */
export async function checkModels(
  deps: ExecutionDeps,
  { named, declared }: NamedModels,
  { settings, parameters }: Configured,
): Promise<FieldProblem[]> {
  let first: ModelRoute | null = null;
  const problems: FieldProblem[] = [];
  for (const [index, { modelId, path }] of named.entries()) {
    const { model } = await findNamedModel(deps, modelId, index === 0 ? declared : null);
    const nearest = model === null ? await deps.findNearestModels(modelId) : [];
    const question = { model, modelId, path, settings, nearest, clock: deps.clock };
    const route = model && findRoute(model);
    const found = route === 'chat' ? checkModel(question) : checkChoice(question);
    problems.push(...found);
    if (model === null || found.some((problem) => problem.path === path)) {
      continue;
    }
    if (route === null) {
      const message = `This model makes nothing that is sold here (${model.outputModalities.join(', ')}).`;
      problems.push({ path, message });
      continue;
    }
    first ??= route;
    problems.push(
      ...(route === first
        ? await checkRoute(deps, { model, route }, { settings, parameters })
        : [{ path, message: `${model.openrouterId} answers in another form than the first model.` }]),
    );
  }
  const names = named.map(({ modelId }) => modelId);
  // Only chats choose among providers.
  return first === null || first === 'chat' ? [...problems, ...(await checkProvider(deps, names, settings))] : problems;
}

async function checkRoute(
  deps: ExecutionDeps,
  { model, route }: { model: KnownModel; route: ModelRoute },
  { settings, parameters }: Configured,
): Promise<FieldProblem[]> {
  const { images, video } = await findMediaPrices(deps, route, model.openrouterId);
  const { pdfEngine } = settings;
  const readsFiles = route !== 'speech' && route !== 'embeddings' && route !== 'rerank';
  return [
    ...checkMedia({ model, route, settings, parameters }),
    ...(images ? checkEndpoints(model.openrouterId, images, { settings, parameters }) : []),
    ...(video ? checkVideo({ settings, parameters }, video) : []),
    ...(readsFiles ? checkInputs(model, { parameters, pdfEngine }) : []),
  ];
}

type QuoteDeps = Pick<ExecutionDeps, 'openRouterMedia' | 'clock'>;

/** What a call costs by the route of the first model; null where nobody knows. */
export async function quoteInstant(
  deps: QuoteDeps,
  { models, prompt, feePercent }: Pick<QuotedCall, 'models' | 'prompt' | 'feePercent'>,
  configured: Configured,
): Promise<CostQuote | null> {
  const { settings, parameters, sent } = configured;
  const [first] = models;
  const route = first && findRoute(first.model);
  if (!first || !route || route === 'chat') {
    return quoteCost({ models, settings, prompt, inputs: parameters, feePercent });
  }
  const found = await findMediaPrices(deps, route, first.model.openrouterId);
  const whole = withSource(route, prompt, configured);
  const chosen = found.images && chooseEndpoints(found.images, { settings, parameters });
  const prices = { ...found, images: chosen?.endpoints ?? found.images };
  const pictures = findPictureParameters(listPictures(route, settings), sent ?? parameters);
  const quote = priceMediaOutput(route, { model: first.model, settings, prompt: whole, prices, pictures });
  return quote === null || feePercent === undefined ? quote : { ...quote, feePercent };
}

/** Why no call of these models has a price that is known before it; null where each may have. */
export async function explainRoute(
  deps: ExecutionDeps,
  names: readonly string[],
  settings: ChatSettings & Pick<ModelNeed, 'declared'>,
): Promise<Unpriced | null> {
  const route = await chooseRoute(deps, names, settings);
  return route === 'chat' ? explainUnpriced(deps, names, settings) : { why: whyUnpriced[route], mayBeAccepted: true };
}

function withSource(route: ModelRoute, prompt: PromptSize, configured: Configured): PromptSize {
  const name = findSource(route, configured);
  const source = configured.parameters.find((parameter) => parameter.name === name);
  const size = source ? measureParameter(source) : { typicalTokens: 0, worstTokens: 0 };
  return {
    typicalTokens: prompt.typicalTokens + size.typicalTokens,
    worstTokens: prompt.worstTokens + size.worstTokens,
  };
}

/** What can be sold by a route and may not be meant. */
export function listRouteWarnings(
  route: ModelRoute,
  quote: CostQuote | null,
  config: { systemPrompt: string } & MediaSettings,
): FieldProblem[] {
  return [
    ...(route === 'speech' && config.audio?.voice === undefined
      ? [{ path: '/config/audio', message: 'No voice is named: the provider speaks with one of its own, or refuses.' }]
      : []),
    ...(route !== 'chat' && quote === null ? [{ path: '/priceUsdc', message: whyUnpriced[route] }] : []),
    ...(route === 'videos' && config.video?.references !== undefined
      ? [
          {
            path: '/config/video/references',
            message: 'The list of film models does not tell which of them go by references: try it before you sell it.',
          },
        ]
      : []),
    ...(route === 'transcription' && config.systemPrompt.trim() !== ''
      ? [
          {
            path: '/config/systemPrompt',
            message: 'Models that write down what is said are sent no prompt: this is ignored.',
          },
        ]
      : []),
  ];
}
