import type { FieldProblem } from '#kit/index.ts';
import { isMedia, toMediaCaps, type Parameter } from '#resources/index.ts';
import type { KnownModel } from '../execution-deps.ts';

/** What a model may read beside text, in the catalogue's words. */
export const inputModalities = ['image', 'audio', 'video', 'file'] as const;
export type InputModality = (typeof inputModalities)[number];

interface Read {
  parameters: readonly Parameter[];
  pdfEngine?: string | undefined;
}

/**
 * What a model has to read for these parameters. PDFs are read for every model by a parser
 * (https://openrouter.ai/docs/features/multimodal/pdfs), unless the model is to read them itself.
 */
export function listModalities({ parameters, pdfEngine }: Read): InputModality[] {
  const wanted = new Set(parameters.flatMap((parameter) => toModalities(parameter, pdfEngine)));
  return inputModalities.filter((modality) => wanted.has(modality));
}

function toModalities(parameter: Parameter, pdfEngine: string | undefined): InputModality[] {
  if (!isMedia(parameter)) {
    return [];
  }
  const types = toMediaCaps(parameter).contentTypes;
  return types.flatMap((type): InputModality[] => {
    const [kind] = type.split('/');
    if (kind === 'image' || kind === 'audio' || kind === 'video') {
      return [kind];
    }
    return pdfEngine === 'native' ? ['file'] : [];
  });
}

/** For the creator; null where the model reads all of them. Cheap: asked on every call. */
export function findInputFault(model: KnownModel | null, modalities: readonly InputModality[]): string | null {
  const missing = model === null ? [] : modalities.filter((one) => !model.inputModalities.includes(one));
  return missing.length === 0
    ? null
    : `model_input: The model "${model?.openrouterId}" does not read ${missing.join(' and ')} input.`;
}

/** Parameters that the model cannot be sent; the path is the parameter's. */
export function checkInputs(model: KnownModel | null, { parameters, pdfEngine }: Read): FieldProblem[] {
  return parameters.flatMap((parameter, index) => {
    const modalities = toModalities(parameter, pdfEngine);
    const missing = inputModalities.filter((one) => modalities.includes(one) && !model?.inputModalities.includes(one));
    const message =
      `${model?.openrouterId} does not read ${missing.join(' and ')} input, which \`${parameter.name}\` is. ` +
      'Choose a model that does, or change the parameter.';
    return model === null || missing.length === 0 ? [] : [{ path: `/parameters/${index}/type`, message }];
  });
}

/** The same for an upstream of which only its creator knows what it reads. */
export function checkAccepted(accepted: readonly InputModality[], parameters: readonly Parameter[]): FieldProblem[] {
  return parameters.flatMap((parameter, index) => {
    const modalities = toModalities(parameter, 'native');
    const missing = inputModalities.filter((one) => modalities.includes(one) && !accepted.includes(one));
    const message =
      `The upstream is not said to read ${missing.join(' and ')} input, which \`${parameter.name}\` is: ` +
      'add it to `acceptsMedia` if it does.';
    return missing.length === 0 ? [] : [{ path: `/parameters/${index}/type`, message }];
  });
}
