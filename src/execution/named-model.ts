import { readModelName, toWireName, type ModelName, type RoutingSuffix } from '#models/index.ts';
import { findModelFault } from './check-model.ts';
import { findInputFault, type InputModality } from './inputs/input-modalities.ts';
import type { ExecutionDeps, KnownModel } from './execution-deps.ts';

/** A model as a creator named it: any form that OpenRouter accepts, and what people copy along with it. */
export interface NamedModel {
  written: string;
  /** The row of the catalogue; null when there is none. */
  model: KnownModel | null;
  /** What OpenRouter is asked for: the id of the catalogue with routing suffixes and preset. */
  wireName: string;
  routing: readonly RoutingSuffix[];
  preset: string | null;
  /** What is known of it comes from its creator and not from the catalogue. */
  isDeclared: boolean;
}

type FindDeps = Pick<ExecutionDeps, 'findModel' | 'clock'>;

/** `declared`: what the creator says of it, which counts where the catalogue does not know what OpenRouter would run. */
export async function findNamedModel(
  deps: Pick<FindDeps, 'findModel'>,
  written: string,
  declared: KnownModel | null = null,
): Promise<NamedModel> {
  const readings = readModelName(written);
  for (const reading of readings) {
    const { id, routing, preset } = reading;
    if (preset !== null && declared !== null) {
      break;
    }
    const model = id === '' && preset !== null ? presetAlone : await deps.findModel(id);
    if (model !== null) {
      const wireName = toWireName({ ...reading, id: model.openrouterId });
      return { written, model, wireName, routing, preset, isDeclared: false };
    }
  }
  const reading = readings.find(({ routing }) => routing.length > 0) ?? readings[0];
  return declared === null || reading === undefined || written.trim() === ''
    ? { written, model: null, wireName: written, routing: [], preset: null, isDeclared: false }
    : toDeclared(written, reading, declared);
}

/**
 * Under which id the catalogue has what an upstream calls its model, as part of the evidence: upstreams tell a dated name
 * of it, failures the name that was asked for, and both are one model. Never rejects: an answer is worth more than its name.
 */
export async function findModelId(
  deps: Pick<FindDeps, 'findModel'>,
  told: unknown,
): Promise<{ modelId: string } | null> {
  const named = typeof told === 'string' ? await findNamedModel(deps, told).catch(() => null) : null;
  const modelId = named?.model?.openrouterId ?? '';
  return modelId === '' || modelId === told ? null : { modelId };
}

function toDeclared(written: string, reading: ModelName, declared: KnownModel): NamedModel {
  const { id, routing, preset } = reading;
  const model = { ...declared, openrouterId: id };
  return { written, model, wireName: toWireName(reading), routing, preset, isDeclared: true };
}

/** The preset, which stands in the creator's account at OpenRouter, chooses the model: nothing is known of it here. */
const presetAlone: KnownModel = {
  openrouterId: '',
  inputModalities: ['text', 'image', 'audio', 'video', 'file'],
  outputModalities: ['text'],
  contextLength: null,
  maxCompletionTokens: null,
  supportedParameters: ['temperature', 'top_p', 'frequency_penalty', 'presence_penalty'],
  isRouter: true,
  expirationDate: null,
  isActive: true,
  pricing: { prompt: '-1', completion: '-1' },
  missingSince: null,
  oddFields: [],
  oddSince: null,
  voices: null,
};

/** As buyers see it: the name in its plain form, without the preset, which is the creator's own matter. */
export function toShownName(written: string): string {
  const reading = readModelName(written).at(-1);
  const shown = reading ? toWireName({ ...reading, preset: null }) : '';
  return shown === '' ? 'preset' : shown;
}

export type UsableModel = NamedModel & { model: KnownModel };

export interface ChosenModels {
  /** Those that can run, in the creator's order. */
  usable: UsableModel[];
  /** Those that cannot, and why, for the creator. */
  faults: { written: string; fault: string }[];
}

/** What is to be known of the models of a config beside their names. */
export interface ModelNeed {
  /** What the models have to read beside text. */
  modalities?: readonly InputModality[];
  /** What the creator says of the first of them, where they do. */
  declared?: KnownModel | null;
}

/** Which of the models that a config names can run now. Cheap: asked on every call. */
export async function chooseModels(
  deps: FindDeps,
  names: readonly string[],
  { modalities = [], declared = null }: ModelNeed = {},
): Promise<ChosenModels> {
  const chosen: ChosenModels = { usable: [], faults: [] };
  for (const [index, written] of names.entries()) {
    const named = await findNamedModel(deps, written, index === 0 ? declared : null);
    const { model } = named;
    const fault = findModelFault(model, written, deps.clock) ?? findInputFault(model, modalities);
    if (fault === null && model !== null) {
      chosen.usable.push({ ...named, model });
    } else {
      chosen.faults.push({ written, fault: fault ?? '' });
    }
  }
  return chosen;
}

/** Why nothing can run; null when one of the models can. */
export async function findModelsFault(
  deps: FindDeps,
  names: readonly string[],
  need: ModelNeed = {},
): Promise<string | null> {
  const { usable, faults } = await chooseModels(deps, names, need);
  return usable.length > 0 ? null : (faults[0]?.fault ?? 'model_unknown: No model is chosen.');
}
