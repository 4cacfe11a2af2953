import { Problem, type FieldProblem } from '#kit/index.ts';
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
 * Refuses a save whose fields can never be right, whatever else is edited afterwards (docs/decisions/0029). Only what is
 * saved now is judged: an older fault elsewhere in the draft does not stand in the way. Throws `invalid_input`.
 */
export function assertShape(deps: ResourcesDeps, { kind: name, given, draft }: Edit): void {
  const kind = deps.kinds.find((candidate) => candidate.name === name);
  const fields: FieldProblem[] = [
    ...checkOfferShapes(deps, given, draft),
    ...(given.parameters === undefined ? [] : checkParameterShapes(given.parameters)),
    ...(kind === undefined || given.config === undefined ? [] : checkConfigShape(kind, draft)),
  ];
  const [first] = fields;
  if (first) {
    const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : '';
    // Not the whole path: the name of an unknown setting may be a piece of the prompt.
    const place = first.path.split('/').slice(0, 2).join('/');
    const detail = `${place}: ${first.message.replace(/\.$/, '')}${more}.`;
    throw new Problem('invalid_input', { detail, next: 'Correct what "errors" lists; nothing was saved.', fields });
  }
}
