import { readModelName, toWireName, type RoutingSuffix } from '#models/index.ts';
import { findModelFault } from './check-model.ts';
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
}

type FindDeps = Pick<ExecutionDeps, 'findModel' | 'clock'>;

export async function findNamedModel(deps: Pick<FindDeps, 'findModel'>, written: string): Promise<NamedModel> {
  const readings = readModelName(written);
  for (const reading of readings) {
    const model = reading.id === '' && reading.preset !== null ? presetAlone : await deps.findModel(reading.id);
    if (model !== null) {
      const { routing, preset } = reading;
      return { written, model, wireName: toWireName({ ...reading, id: model.openrouterId }), routing, preset };
    }
  }
  return { written, model: null, wireName: written, routing: [], preset: null };
}

/** The preset, which stands in the creator's account at OpenRouter, chooses the model: nothing is known of it here. */
const presetAlone: KnownModel = {
  openrouterId: '',
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

/** Which of the models that a config names can run now. Cheap: asked on every call. */
export async function chooseModels(deps: FindDeps, names: readonly string[]): Promise<ChosenModels> {
  const chosen: ChosenModels = { usable: [], faults: [] };
  for (const written of names) {
    const named = await findNamedModel(deps, written);
    const { model } = named;
    const fault = findModelFault(model, written, deps.clock);
    if (fault === null && model !== null) {
      chosen.usable.push({ ...named, model });
    } else {
      chosen.faults.push({ written, fault: fault ?? '' });
    }
  }
  return chosen;
}

/** Why nothing can run; null when one of the models can. */
export async function findModelsFault(deps: FindDeps, names: readonly string[]): Promise<string | null> {
  const { usable, faults } = await chooseModels(deps, names);
  return usable.length > 0 ? null : (faults[0]?.fault ?? 'model_unknown: No model is chosen.');
}
