import type { FieldProblem } from '#kit/index.ts';
import type { Unpriced } from '#resources/index.ts';
import type { ExecutionDeps } from './execution-deps.ts';
import { listPricings, type AskedSettings } from './list-pricings.ts';
import { chooseModels, findNamedModel, type ModelNeed } from './named-model.ts';
import { isTag } from './provider-settings.ts';

type CheckDeps = Pick<ExecutionDeps, 'findModel' | 'refreshEndpoints' | 'clock'>;

/** Asks who serves the models, and tells where the settings leave nobody who may answer. */
export async function checkProvider(
  deps: CheckDeps,
  names: readonly string[],
  settings: AskedSettings,
): Promise<FieldProblem[]> {
  for (const name of names) {
    const { model } = await findNamedModel(deps, name);
    // A preset chooses its model by itself.
    await (model === null || model.openrouterId === '' ? null : deps.refreshEndpoints?.(model.openrouterId));
  }
  const { usable } = await chooseModels(deps, names);
  return usable
    .filter(({ model }) => !model.isRouter && listPricings(model, settings).length === 0)
    .map(({ model }) => ({
      path: '/config/provider',
      message: `No provider of ${model.openrouterId} may answer with these settings. It is served by: ${listTags(model.endpoints).join(', ') || 'nobody who is known'}.`,
    }));
}

/** Providers that the settings name and nobody knows: a misspelt one is easily overlooked. */
export async function warnOfProviders(
  deps: CheckDeps,
  names: readonly string[],
  { provider = {} }: AskedSettings,
): Promise<FieldProblem[]> {
  const { usable } = await chooseModels(deps, names);
  const known = usable.flatMap(({ model }) => listTags(model.endpoints));
  if (usable.some(({ model }) => !model.endpoints)) {
    return [];
  }
  return (['order', 'only', 'ignore'] as const).flatMap((field) =>
    (provider[field] ?? [])
      .filter((name) => !known.some((tag) => isTag(tag, name)))
      .map((name) => ({
        path: `/config/provider/${field}`,
        message: `No provider "${name}" serves these models. They are served by: ${[...new Set(known)].join(', ')}.`,
      })),
  );
}

/** Why no call of these models has a price that is known before it; null where each has, or that is not known of OpenRouter. */
export async function explainUnpriced(
  deps: CheckDeps,
  names: readonly string[],
  settings: AskedSettings & ModelNeed,
): Promise<Unpriced | null> {
  const why = await findUnpriced(deps, names, settings);
  return why === null ? null : { why, mayBeAccepted: false };
}

async function findUnpriced(
  deps: CheckDeps,
  names: readonly string[],
  settings: AskedSettings & ModelNeed,
): Promise<string | null> {
  const { usable } = await chooseModels(deps, names, settings);
  for (const { model, preset, wireName, isDeclared } of usable) {
    if (isDeclared) {
      continue;
    }
    if (preset !== null) {
      return `What the preset in ${wireName} costs is not known before a call, so it cannot be sold at a fixed price. Name a model and write its prompt and settings here, or give the resource away ("0").`;
    }
    if (model.isRouter) {
      return `${wireName} chooses a model for each call by itself, so what a call costs is not known before it, and it cannot be sold at a fixed price. Choose a model.`;
    }
    if (listPricings(model, settings).length > 0) {
      continue;
    }
    return `No provider of ${model.openrouterId} may answer with the settings of "provider".`;
  }
  return usable.length === 0
    ? null
    : 'The catalogue tells no price of one of the models, so what a call costs is not known before it, and it cannot be sold at a fixed price. Choose another model.';
}

function listTags(endpoints: readonly { tag: string }[] | null | undefined): string[] {
  return (endpoints ?? []).map(({ tag }) => tag);
}
