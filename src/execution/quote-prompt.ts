import type { FieldProblem } from '#kit/index.ts';
import type { CostQuote, Parameter } from '#resources/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import type { ExecutionDeps, KnownModel } from './execution-deps.ts';
import type { Wanted } from './find-key.ts';
import { listModalities } from './inputs/input-modalities.ts';
import { chooseRoute, quoteInstant, toPromptRules } from './instant-route.ts';
import { measureMessages, measurePrompt, type PromptSize } from './measure-prompt.ts';
import type { MediaSettings } from './media-settings.ts';
import { chooseModels, type ModelNeed } from './named-model.ts';
import { checkPrompt, compilePrompt, showMessages, type Prompt, type PromptTexts } from './prompt.ts';
import { quoteCost } from './quote-cost.ts';

type FindDeps = Pick<ExecutionDeps, 'findModel' | 'clock' | 'creditFeePercent' | 'openRouterMedia'>;

/** A prompt on models of the catalogue: none of them, and its cost is not known. */
export interface QuotedPrompt {
  models: readonly string[];
  settings: ChatSettings;
  /** Of a kind that runs models by every route; absent: it asks in chats alone. */
  media?: MediaSettings;
  parameters: readonly Parameter[];
  allowsUserMessage: boolean;
  /** What the creator says of the first model. */
  declared?: KnownModel | null;
  /** What is quoted where a buyer asks; any input that the parameters allow unless told. */
  input?: Record<string, unknown> | undefined;
}

/** Null too while the template cannot be read. */
export async function quotePrompt(deps: FindDeps, texts: PromptTexts, asked: QuotedPrompt): Promise<CostQuote | null> {
  return (await checkTemplates(deps, texts, asked)).length > 0
    ? null
    : quoteCompiled(deps, compilePrompt(texts, asked.parameters), asked);
}

/** What is wrong with the templates, by the route of the model that they are for. */
export async function checkTemplates(
  deps: FindDeps,
  texts: PromptTexts,
  { models, settings, media, parameters, declared = null }: QuotedPrompt,
): Promise<FieldProblem[]> {
  const route = media === undefined ? 'chat' : await chooseRoute(deps, models, { declared });
  return checkPrompt(texts, parameters, toPromptRules(route, { settings: { ...settings, ...media }, parameters }));
}

/** What is asked of the key that pays for a run. */
export function toWanted(deps: FindDeps, prompt: Prompt, asked: QuotedPrompt): Wanted {
  return {
    models: asked.models,
    ...toNeed(asked),
    quoteWorst: async () => (await quoteCompiled(deps, prompt, asked))?.worstUsd ?? null,
  };
}

async function quoteCompiled(deps: FindDeps, prompt: Prompt, asked: QuotedPrompt): Promise<CostQuote | null> {
  const { models: names, settings, media, parameters, input } = asked;
  const { usable: models } = await chooseModels(deps, names, toNeed(asked));
  const call = { models, prompt: measureAsked(prompt, asked), feePercent: deps.creditFeePercent };
  return media === undefined
    ? quoteCost({ ...call, settings, inputs: parameters })
    : quoteInstant(deps, call, { settings: { ...settings, ...media }, parameters, ...toSent(parameters, input) });
}

/** What this buyer sends is always sent, and what is left out never. */
function toSent(parameters: readonly Parameter[], input: QuotedPrompt['input']): { sent?: Parameter[] } {
  return input === undefined
    ? {}
    : {
        sent: parameters
          .filter(({ name }) => input[name] !== undefined)
          .map((parameter) => ({ ...parameter, required: true })),
      };
}

function measureAsked(prompt: Prompt, asked: QuotedPrompt): PromptSize {
  const { input, parameters, allowsUserMessage } = asked;
  if (input === undefined) {
    return measurePrompt(prompt, parameters, asked);
  }
  const said = allowsUserMessage ? input['user_message'] : undefined;
  const userMessage = typeof said === 'string' ? said : undefined;
  return measureMessages(showMessages(prompt, { input, parameters, userMessage }));
}

function toNeed({ parameters, settings, declared = null }: QuotedPrompt): ModelNeed {
  return { modalities: listModalities({ parameters, pdfEngine: settings.pdfEngine }), declared };
}
