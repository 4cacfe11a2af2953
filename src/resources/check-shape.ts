import { toInvalidInput, UNKNOWN_FIELD, type FieldProblem } from '#kit/index.ts';
import { checkConfigShape } from './check-config.ts';
import { checkOfferShapes } from './check-offers.ts';
import { checkParameterShapes } from './check-parameters.ts';
import type { Draft } from './draft.ts';
import type { ResourcesDeps } from './resources-deps.ts';

interface Edit {
  kind: string;
  /** The fields that are saved now. */
  given: Partial<Draft>;
  /** What the draft is with them. */
  draft: Draft;
}

/**
 * What a save is refused for: fields that can never be right, whatever else is edited afterwards (docs/decisions/0029). Only
 * what is saved now is judged: an older fault elsewhere in the draft does not stand in the way.
 */
export function checkShape(deps: ResourcesDeps, { kind: name, given, draft }: Edit): FieldProblem[] {
  const kind = deps.kinds.find((candidate) => candidate.name === name);
  return [
    ...checkOfferShapes(deps, given, draft),
    ...(given.parameters === undefined ? [] : checkParameterShapes(given.parameters)),
    ...(kind === undefined || given.config === undefined ? [] : checkConfigShape(kind, draft)),
  ];
}

/** Throws `invalid_input` where `checkShape` has found something. */
export function assertShape(fields: readonly FieldProblem[]): void {
  const [first] = fields;
  if (first) {
    const next = 'Correct what "errors" lists; nothing was saved.';
    throw toInvalidInput(fields, { ...toSentence(first), next });
  }
}

/** The name of an unknown setting may be a piece of the prompt: the list alone, which only the creator reads, holds it. */
function toSentence({ path, message }: FieldProblem): { place: string; message: string } {
  return message === UNKNOWN_FIELD
    ? { place: path.split('/').slice(0, -1).join('/'), message: 'holds a setting that is not known here' }
    : { place: path, message };
}
