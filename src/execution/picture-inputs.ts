import { isMedia, type MediaParameter, type Parameter } from '#resources/index.ts';
import type { FrameType, SentPicture } from '#upstreams/index.ts';
import type { MediaRun } from './media-run.ts';
import type { MediaSettings } from './media-settings.ts';
import type { ModelRoute } from './model-route.ts';

/** A picture of the buyer's that is sent beside the prompt, by the parameter that holds it. */
export interface PictureInput {
  parameter: string;
  use: FrameType | 'reference';
  /** Where the config names it. */
  path: string;
}

type Named = Pick<MediaSettings, 'imageConfig' | 'video'>;

/** As the config names them, in its order. */
export function listPictures(route: ModelRoute, { imageConfig, video }: Named): PictureInput[] {
  if (route === 'images') {
    return toReferences(imageConfig?.references, '/config/imageConfig');
  }
  return route === 'videos'
    ? [
        ...toFrame('first_frame', video?.firstFrame, '/config/video/firstFrame'),
        ...toFrame('last_frame', video?.lastFrame, '/config/video/lastFrame'),
        ...toReferences(video?.references, '/config/video'),
      ]
    : [];
}

function toReferences(names: readonly string[] = [], field: string): PictureInput[] {
  return names.map((parameter, index) => ({ parameter, use: 'reference', path: `${field}/references/${index}` }));
}

function toFrame(use: FrameType, parameter: string | undefined, path: string): PictureInput[] {
  return parameter === undefined ? [] : [{ parameter, use, path }];
}

/** The parameters of the pictures that may be sent, once for each use. */
export function findPictureParameters(
  pictures: readonly Pick<PictureInput, 'parameter'>[],
  parameters: readonly Parameter[],
): MediaParameter[] {
  return pictures.flatMap(({ parameter: name }) => parameters.filter(isMedia).filter((one) => one.name === name));
}

/** The pictures that this call has, as they are sent. */
export function listSent({
  route,
  settings,
  files,
}: Pick<MediaRun, 'route' | 'settings' | 'files'>): (SentPicture & Pick<PictureInput, 'use'>)[] {
  return listPictures(route, settings).flatMap(({ parameter, use }) => {
    const file = files.get(parameter);
    return file?.type === 'media' ? [{ use, bytes: file.bytes, contentType: file.contentType }] : [];
  });
}

/** For buyers: what becomes of the pictures that they send. */
export function toShownPictures(settings: Named): { pictures?: Record<string, PictureInput['use']> } {
  const pictures = [...listPictures('images', settings), ...listPictures('videos', settings)];
  return pictures.length === 0
    ? {}
    : { pictures: Object.fromEntries(pictures.map(({ parameter, use }) => [parameter, use])) };
}
