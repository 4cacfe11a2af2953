import type { Json } from '#kit/index.ts';
import { isMedia, toMediaCaps, type MediaParameter } from './media-parameter.ts';
import { isRequired, type Parameter } from './parameter.ts';
import type { JsonSchema } from './resource-kind.ts';
import { MAX_PATTERNED_LENGTH } from './safe-pattern.ts';

/** Text parameters without a `maxLength` of their own end here. */
export const DEFAULT_MAX_LENGTH = 10_000;
export const USER_MESSAGE = 'user_message';
export const MAX_USER_MESSAGE_LENGTH = 20_000;

interface InputOptions {
  allowsUserMessage: boolean;
}

/** JSON Schema 2020-12 of a call's input; what it allows is exactly what `parseInput` accepts. */
export function toInputSchema(parameters: readonly Parameter[], options: InputOptions): JsonSchema {
  const properties: [string, Json][] = parameters.map((parameter) => [parameter.name, toProperty(parameter)]);
  if (options.allowsUserMessage) {
    const description = 'A message of yours, sent along with the prompt.';
    properties.push([USER_MESSAGE, { type: 'string', description, maxLength: MAX_USER_MESSAGE_LENGTH }]);
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: Object.fromEntries(properties),
    required: parameters.filter(isRequired).map((parameter) => parameter.name),
    additionalProperties: false,
  };
}

/** An input that the schema accepts: examples and defaults, else the smallest thing of the type where that is enough. */
export function toInputExample(parameters: readonly Parameter[]): Record<string, Json> {
  const examples = parameters
    .map((parameter): [string, Json | undefined] => [parameter.name, toExample(parameter)])
    .filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return Object.fromEntries(examples);
}

function toExample(parameter: Parameter): Json | undefined {
  const given = parameter.example ?? parameter.default;
  if (given !== undefined || !isRequired(parameter)) {
    return given;
  }
  if (isMedia(parameter)) {
    return `https://example.com/${parameter.name}`;
  }
  switch (parameter.type) {
    case 'enum':
      return parameter.options?.[0];
    case 'boolean':
      return true;
    case 'number':
    case 'integer':
      return parameter.minimum ?? Math.min(1, parameter.maximum ?? 1);
    default:
      return parameter.name.slice(0, parameter.maxLength).padEnd(parameter.minLength ?? 0, '.');
  }
}

function toProperty(parameter: Parameter): Json {
  const { description, default: fallback, example } = parameter;
  return {
    ...(isMedia(parameter) ? toMediaRules(parameter) : toTypeRules(parameter)),
    ...(description === '' ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...(example === undefined ? {} : { examples: [example] }),
    ...toRules(parameter),
  };
}

/** Keyword of a file's limits, beside what JSON Schema has words for. */
export const MEDIA_KEYWORD = 'x-media';

/** A URI of the forms https, data and upload; what the file itself may be is told, and checked once it is there. */
function toMediaRules(parameter: MediaParameter): Record<string, Json> {
  const { contentTypes, ...limits } = toMediaCaps(parameter);
  const [only, ...others] = contentTypes;
  const told = Object.entries(limits).filter((entry): entry is [string, number] => entry[1] !== null);
  return {
    type: 'string',
    format: 'uri',
    ...(only !== undefined && others.length === 0 ? { contentMediaType: only } : {}),
    [MEDIA_KEYWORD]: { type: parameter.type, contentTypes: [...contentTypes], ...Object.fromEntries(told) },
  };
}

function toTypeRules({ type, options }: Parameter): Record<string, Json> {
  return type === 'enum' ? { type: 'string', enum: options ?? [] } : { type };
}

/** The most characters that a text parameter takes. */
export function toMaxLength({ maxLength, pattern }: Pick<Parameter, 'maxLength' | 'pattern'>): number {
  return maxLength ?? (pattern === undefined ? DEFAULT_MAX_LENGTH : MAX_PATTERNED_LENGTH);
}

function toRules(parameter: Parameter): Record<string, Json> {
  const { minimum, maximum, minLength, pattern } = parameter;
  const maxLength = parameter.type === 'string' ? toMaxLength(parameter) : parameter.maxLength;
  const rules = { minimum, maximum, minLength, maxLength, pattern };
  return Object.fromEntries(
    Object.entries(rules).filter((entry): entry is [string, string | number] => entry[1] !== undefined),
  );
}
