import type { FieldProblem } from '#kit/index.ts';
import { checkMediaParameter, checkMediaTotal, isMedia } from './media-parameter.ts';
import { isRequired, PARAMETER_NAME, type Parameter, type parameterTypes } from './parameter.ts';
import { parseInput } from './parse-input.ts';
import { compilePattern, MAX_PATTERNED_LENGTH } from './safe-pattern.ts';
import { DEFAULT_MAX_LENGTH, toInputSchema, USER_MESSAGE } from './to-input-schema.ts';

const MAX_PARAMETERS = 40;
const MAX_PATTERNS = 10;
const MAX_TEXT_LENGTH = 100_000;

const mediaFields = ['contentTypes', 'maxBytes', 'maxPixels', 'maxPages', 'maxSeconds'] as const;
const ruleFields = ['minimum', 'maximum', 'minLength', 'maxLength', 'pattern', 'options', ...mediaFields] as const;
type RuleField = (typeof ruleFields)[number];

const rulesOf: Record<(typeof parameterTypes)[number], readonly RuleField[]> = {
  string: ['minLength', 'maxLength', 'pattern'],
  number: ['minimum', 'maximum'],
  integer: ['minimum', 'maximum'],
  boolean: [],
  enum: ['options'],
  image: mediaFields,
  audio: mediaFields,
  video: mediaFields,
  pdf: mediaFields,
  file: mediaFields,
};

/** Names and patterns that can never be published; a name that is still empty is no fault yet. */
export function checkParameterShapes(parameters: readonly Parameter[]): FieldProblem[] {
  return parameters.flatMap((parameter, index) =>
    [...(parameter.name === '' ? [] : checkName(parameter.name)), ...checkPattern(parameter)].map(
      ({ path, message }) => ({ path: `/parameters/${index}${path}`, message }),
    ),
  );
}

/** What must hold before the parameters can be published; paths point into the draft (`/parameters/0/name`). */
export function checkParameters(parameters: readonly Parameter[]): FieldProblem[] {
  const problems = parameters.flatMap((parameter, index) =>
    checkParameter(parameter).map(({ path, message }) => ({ path: `/parameters/${index}${path}`, message })),
  );
  if (parameters.length > MAX_PARAMETERS) {
    problems.push({ path: '/parameters', message: `A resource has at most ${MAX_PARAMETERS} parameters.` });
  }
  if (parameters.filter((parameter) => parameter.pattern !== undefined).length > MAX_PATTERNS) {
    problems.push({ path: '/parameters', message: `At most ${MAX_PATTERNS} parameters may have a pattern.` });
  }
  return [...problems, ...checkMediaTotal(parameters), ...findDuplicates(parameters)];
}

function findDuplicates(parameters: readonly Parameter[]): FieldProblem[] {
  const names = parameters.map((parameter) => parameter.name);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    const message = `The name \`${name.slice(0, 40)}\` is already used by parameter ${first + 1}.`;
    return first === index ? [] : [{ path: `/parameters/${index}/name`, message }];
  });
}

function checkParameter(parameter: Parameter): FieldProblem[] {
  const type = checkType(parameter);
  // Which rules there are depends on the type.
  const problems = [...checkName(parameter.name), ...type, ...(type.length === 0 ? checkRules(parameter) : [])];
  // Values are judged by the very schema that will judge buyers, which needs rules that make sense.
  return problems.length > 0 ? problems : checkValues(parameter);
}

function checkName(name: string): FieldProblem[] {
  const path = '/name';
  if (!PARAMETER_NAME.test(name)) {
    return [{ path, message: 'A name starts with a letter or _, then letters, digits or _, at most 40 characters.' }];
  }
  // Everything on Object.prototype: buyers' own code would trip over it.
  const isReserved = name === USER_MESSAGE || name === 'prototype' || name in {};
  return isReserved ? [{ path, message: `The name \`${name}\` is reserved.` }] : [];
}

function checkType({ required, default: fallback }: Parameter): FieldProblem[] {
  const message = 'A required parameter has no default: it is never left out. Remove one of the two.';
  return required && fallback !== undefined ? [{ path: '/default', message }] : [];
}

function checkRules(parameter: Parameter): FieldProblem[] {
  const allowed: readonly RuleField[] = rulesOf[parameter.type];
  const misplaced = ruleFields
    .filter((field) => parameter[field] !== undefined && !allowed.includes(field))
    .map((field) => ({ path: `/${field}`, message: `\`${field}\` does not apply to the type "${parameter.type}".` }));
  const rules = Object.fromEntries(allowed.map((field) => [field, parameter[field]]));
  const ruled = { name: parameter.name, type: parameter.type, description: parameter.description, ...rules };
  const media = isMedia(parameter) ? checkMediaParameter(parameter) : [];
  return [
    ...misplaced,
    ...media,
    ...checkRange(ruled),
    ...checkLength(ruled),
    ...checkPattern(ruled),
    ...checkOptions(ruled),
  ];
}

function checkRange({ type, minimum, maximum }: Parameter): FieldProblem[] {
  const bounds = [['/minimum', minimum] as const, ['/maximum', maximum] as const];
  const odd = bounds
    .filter(([, bound]) => type === 'integer' && bound !== undefined && !Number.isSafeInteger(bound))
    .map(([path]) => ({ path, message: 'The bounds of an integer are integers below 2^53.' }));
  return minimum !== undefined && maximum !== undefined && minimum > maximum
    ? [...odd, { path: '/minimum', message: '`minimum` is larger than `maximum`.' }]
    : odd;
}

function checkLength({ minLength = 0, maxLength, pattern }: Parameter): FieldProblem[] {
  const longest = pattern === undefined ? MAX_TEXT_LENGTH : MAX_PATTERNED_LENGTH;
  if ((maxLength ?? 0) > longest) {
    const because = pattern === undefined ? '' : ' where there is a pattern';
    return [{ path: '/maxLength', message: `\`maxLength\` is at most ${longest}${because}.` }];
  }
  const effective = maxLength ?? Math.min(longest, DEFAULT_MAX_LENGTH);
  const message = `\`minLength\` is larger than \`maxLength\` (${effective}${maxLength === undefined ? ' unless set' : ''}).`;
  return minLength > effective ? [{ path: '/minLength', message }] : [];
}

function checkPattern({ pattern }: Parameter): FieldProblem[] {
  const result = pattern === undefined ? { ok: true as const } : compilePattern(pattern);
  return result.ok ? [] : [{ path: '/pattern', message: result.reason }];
}

function checkOptions({ type, options = [] }: Parameter): FieldProblem[] {
  if (type !== 'enum') {
    return [];
  }
  if (options.length === 0) {
    return [{ path: '/options', message: 'An enum needs at least one option.' }];
  }
  return new Set(options).size === options.length ? [] : [{ path: '/options', message: 'An option is listed twice.' }];
}

function checkValues(parameter: Parameter): FieldProblem[] {
  if (parameter.pattern !== undefined && isRequired(parameter) && parameter.example === undefined) {
    return [{ path: '/example', message: 'Show buyers an example that matches the pattern.' }];
  }
  const { default: _fallback, example: _example, required: _required, ...bare } = parameter;
  const contract = { parameters: [bare], inputSchema: toInputSchema([bare], { allowsUserMessage: false }) };
  return (['default', 'example'] as const).flatMap((field) => {
    const value = parameter[field];
    const parsed = value === undefined ? null : parseInput(contract, { [parameter.name]: value });
    return parsed === null || parsed.ok ? [] : parsed.fields.map(({ message }) => ({ path: `/${field}`, message }));
  });
}
