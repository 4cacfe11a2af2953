import type { MediaSettings } from './media-settings.ts';
import type { ModelRoute } from './model-route.ts';

type Filled = Pick<MediaSettings, 'imageConfig' | 'video'>;

/** A setting that a parameter fills. */
export interface FilledSetting {
  field: string;
  parameter: string;
  /** What is set where no buyer fills it. */
  fixed: string | number | undefined;
  /** Where the config says so. */
  path: string;
}

/** Of the settings that the route knows. */
export function listFilled(route: ModelRoute, { imageConfig, video }: Filled): FilledSetting[] {
  const [name, config] =
    route === 'images'
      ? (['imageConfig', imageConfig] as const)
      : (['video', route === 'videos' ? video : undefined] as const);
  const fixed: Readonly<Record<string, unknown>> = config ?? {};
  return Object.entries(config?.filledBy ?? {}).flatMap(([field, parameter]) => {
    const value = fixed[field];
    const path = `/config/${name}/filledBy/${field}`;
    return parameter === undefined
      ? []
      : [{ field, parameter, fixed: typeof value === 'string' || typeof value === 'number' ? value : undefined, path }];
  });
}

/** With what a buyer sent in place of what is fixed. The parameters allow nothing that the settings do not (`checkFilled`). */
export function fillSettings<Settings extends Filled>(
  settings: Settings,
  input: Readonly<Record<string, unknown>>,
): Settings {
  const { imageConfig, video } = settings;
  return {
    ...settings,
    ...(imageConfig ? { imageConfig: { ...imageConfig, ...readFilled(imageConfig.filledBy, input) } } : {}),
    ...(video ? { video: { ...video, ...readFilled(video.filledBy, input) } } : {}),
  };
}

function readFilled(filledBy: object = {}, input: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const sent = Object.entries(filledBy as Record<string, string>).map(([field, name]) => [field, input[name]] as const);
  return Object.fromEntries(sent.filter(([, value]) => value !== undefined && value !== null));
}
