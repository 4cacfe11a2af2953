import type { FieldProblem } from '#kit/index.ts';
import { isMedia, type Parameter } from '#resources/index.ts';
import type { MediaSettings } from './media-settings.ts';
import type { ModelRoute } from './model-route.ts';
import { listPictures } from './picture-inputs.ts';

interface Configured {
  settings: MediaSettings;
  parameters: readonly Parameter[];
}

/** Whether the pictures that the config names are there, and can be sent together. */
export function checkPictures(route: ModelRoute, { settings, parameters }: Configured): FieldProblem[] {
  const pictures = listPictures(route, settings);
  const problems = pictures.flatMap(({ parameter: name, use, path }, index) => {
    const parameter = parameters.find((one) => one.name === name);
    if (parameter === undefined) {
      return [{ path, message: `There is no parameter "${name}".` }];
    }
    if (parameter.type !== 'image') {
      return [{ path, message: `\`${name}\` is of type ${parameter.type}; make it image.` }];
    }
    const isTwice = pictures.slice(0, index).some((one) => one.parameter === name && one.use === use);
    return isTwice ? [{ path, message: `\`${name}\` is named twice.` }] : [];
  });
  const { firstFrame, lastFrame, references } = settings.video ?? {};
  // https://openrouter.ai/docs/features/multimodal/video: the references of such a request are not looked at.
  const isBoth = route === 'videos' && references !== undefined && (firstFrame ?? lastFrame) !== undefined;
  return isBoth
    ? [
        ...problems,
        {
          path: '/config/video/references',
          message: 'A film is made from its frames or from references: with firstFrame or lastFrame these are ignored.',
        },
      ]
    : problems;
}

/** Files that no setting names would not be sent. */
export function checkUnnamed(route: 'images' | 'videos', { settings, parameters }: Configured): FieldProblem[] {
  const named = new Set(listPictures(route, settings).map(({ parameter }) => parameter));
  const where = route === 'images' ? 'imageConfig.references' : 'video.firstFrame, video.lastFrame or video.references';
  return parameters.flatMap((parameter, index) =>
    !isMedia(parameter) || named.has(parameter.name)
      ? []
      : [
          {
            path: `/parameters/${index}/type`,
            message:
              parameter.type === 'image'
                ? `\`${parameter.name}\` would not be sent. Name it in ${where}.`
                : `Only pictures are sent along here: \`${parameter.name}\` cannot be of type ${parameter.type}.`,
          },
        ],
  );
}
