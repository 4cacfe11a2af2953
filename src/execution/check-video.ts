import type { FieldProblem } from '#kit/index.ts';
import type { Parameter } from '#resources/index.ts';
import type { VideoModel } from '#upstreams/index.ts';
import { listValues } from './check-filled.ts';
import { listFilled } from './fill-settings.ts';
import type { MediaSettings } from './media-settings.ts';
import { listPictures } from './picture-inputs.ts';

interface Configured {
  settings: MediaSettings;
  parameters: readonly Parameter[];
}

/**
 * What a film is asked for and its model does not make. A list that the upstream leaves empty allows everything, but for
 * frames: models that take some list them. Whether references are taken it does not tell.
 */
export function checkVideo({ settings, parameters }: Configured, model: VideoModel): FieldProblem[] {
  const { durationSeconds, resolution, aspectRatio, size, seed, sound, filledBy } = settings.video ?? {};
  const filled = listFilled('videos', settings).find(({ field }) => field === 'aspectRatio');
  const ratios = filled ? listValues(filled, parameters) : [aspectRatio];
  const asked = [
    { field: 'durationSeconds', values: [durationSeconds], known: model.durationsSeconds },
    { field: 'resolution', values: [resolution], known: model.resolutions },
    { field: filled ? 'filledBy/aspectRatio' : 'aspectRatio', values: ratios, known: model.aspectRatios },
    { field: 'size', values: [size], known: model.sizes },
  ];
  const problems = asked.flatMap(({ field, values, known }) => {
    const strange = values.filter((value) => value !== undefined && !(known as unknown[]).includes(value));
    return strange.length === 0 || known.length === 0
      ? []
      : [{ field, message: `does not make ${strange.join(', ')}. It makes: ${known.slice(0, 20).join(', ')}.` }];
  });
  const seedField = filledBy?.seed === undefined ? 'seed' : 'filledBy/seed';
  const frames = listPictures('videos', settings).filter(
    ({ use }) => use !== 'reference' && !model.frameTypes.includes(use),
  );
  return [
    ...problems.map(({ field, message }) => ({ path: `/config/video/${field}`, message: `${model.id} ${message}` })),
    ...((seed ?? filledBy?.seed) !== undefined && model.takesSeed === false
      ? [{ path: `/config/video/${seedField}`, message: `${model.id} takes no seed. Leave it out.` }]
      : []),
    ...(sound === true && model.makesSound === false
      ? [{ path: '/config/video/sound', message: `${model.id} makes silent films. Leave it out.` }]
      : []),
    ...frames.map(({ use, path }) => ({
      path,
      message: `${model.id} takes no picture as ${use.replace('_', ' ')}. It takes: ${model.frameTypes.join(', ') || 'none'}.`,
    })),
  ];
}
