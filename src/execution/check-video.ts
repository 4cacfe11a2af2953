import type { FieldProblem } from '#kit/index.ts';
import type { VideoModel } from '#upstreams/index.ts';
import type { MediaSettings } from './media-settings.ts';

/** What a film is asked for and its model does not make. A list that the upstream leaves empty allows everything. */
export function checkVideo(settings: MediaSettings['video'], model: VideoModel): FieldProblem[] {
  const { durationSeconds, resolution, aspectRatio, size } = settings ?? {};
  const asked = [
    { field: 'durationSeconds', value: durationSeconds, known: model.durationsSeconds },
    { field: 'resolution', value: resolution, known: model.resolutions },
    { field: 'aspectRatio', value: aspectRatio, known: model.aspectRatios },
    { field: 'size', value: size, known: model.sizes },
  ];
  return asked
    .filter(({ value, known }) => value !== undefined && known.length > 0 && !(known as unknown[]).includes(value))
    .map(({ field, value, known }) => ({
      path: `/config/video/${field}`,
      message: `${model.id} does not make ${value}. It makes: ${known.slice(0, 20).join(', ')}.`,
    }));
}
