import type { FieldProblem } from '#kit/index.ts';
import type { Parameter } from '#resources/index.ts';
import { listFilled, type FilledSetting } from './fill-settings.ts';
import { imageConfig, mediaSettings, type MediaSettings } from './media-settings.ts';
import type { ModelRoute } from './model-route.ts';

interface Configured {
  settings: MediaSettings;
  parameters: readonly Parameter[];
}

/** Fields that are numbers; the others are words. */
const numbers: ReadonlySet<string> = new Set(['seed', 'outputCompression']);

/** Whether every value that a parameter allows is one that the setting it fills may have. */
export function checkFilled(route: ModelRoute, { settings, parameters }: Configured): FieldProblem[] {
  const schema = route === 'videos' ? mediaSettings.video : imageConfig;
  const isSetting = (field: string, value: unknown): boolean => schema.safeParse({ [field]: value }).success;
  return listFilled(route, settings).flatMap((filled) => {
    const { field, parameter: name, path } = filled;
    const parameter = parameters.find((one) => one.name === name);
    if (parameter === undefined) {
      return [{ path, message: `There is no parameter "${name}".` }];
    }
    const wanted = numbers.has(field) ? 'integer' : 'enum';
    if (parameter.type !== wanted) {
      return [
        { path, message: `\`${name}\` is of type ${parameter.type}, and ${field} is filled by one of type ${wanted}.` },
      ];
    }
    const values = listValues(filled, parameters);
    const isBounded = wanted === 'enum' || (parameter.minimum !== undefined && parameter.maximum !== undefined);
    const odd = values.filter((value) => !isSetting(field, value));
    return isBounded && odd.length === 0
      ? []
      : [
          {
            path,
            message: isBounded
              ? `\`${name}\` allows ${odd.slice(0, 3).join(', ')}, which ${field} cannot be.`
              : `Give \`${name}\` a minimum and a maximum that ${field} may have.`,
          },
        ];
  });
}

/** Of a number its least and its most. */
export function listValues(
  { parameter: name, fixed }: Pick<FilledSetting, 'parameter' | 'fixed'>,
  parameters: readonly Parameter[],
): (string | number)[] {
  const { options = [], minimum, maximum } = parameters.find((one) => one.name === name) ?? {};
  return [...options, minimum, maximum, fixed].filter((value) => value !== undefined);
}
