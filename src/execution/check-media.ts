import type { FieldProblem } from '#kit/index.ts';
import { isMedia, type Parameter } from '#resources/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import { checkFilled, listValues } from './check-filled.ts';
import { checkPictures, checkUnnamed } from './check-pictures.ts';
import type { KnownModel } from './execution-deps.ts';
import { listFilled } from './fill-settings.ts';
import { checkProviderOfPictures } from './image-endpoints.ts';
import { settingsOfRoute, type MediaField, type MediaSettings } from './media-settings.ts';
import type { ModelRoute } from './model-route.ts';

type Settings = MediaSettings & Partial<ChatSettings>;

interface RoutedModel {
  model: KnownModel;
  route: ModelRoute;
  settings: Settings;
  parameters: readonly Parameter[];
}

const mediaFields = Object.keys({
  audio: 0,
  embedding: 0,
  imageConfig: 0,
  rerank: 0,
  transcription: 0,
  video: 0,
} satisfies Record<MediaField, 0>) as MediaField[];

/** Words of a chat, which no other route takes, but for `provider` that of pictures. `maxTokens` has a default and is left alone. */
const chatFields = [
  'temperature',
  'topP',
  'frequencyPenalty',
  'presencePenalty',
  'outputSchema',
  'reasoning',
  'pdfEngine',
  'provider',
  'webSearch',
] as const;

const routeWords: Readonly<Record<ModelRoute, string>> = {
  chat: 'answers in a chat',
  images: 'makes pictures alone',
  speech: 'speaks what it is given',
  transcription: 'writes down what is said',
  videos: 'makes films',
  embeddings: 'makes embeddings',
  rerank: 'ranks documents',
};

/** What of the settings and parameters stands against running this model by its route. */
export function checkMedia(question: RoutedModel): FieldProblem[] {
  const { model, route, settings } = question;
  const unknown = mediaFields.filter(
    (field) => settings[field] !== undefined && !settingsOfRoute[route].includes(field),
  );
  const ofChats = route === 'images' ? chatFields.filter((field) => field !== 'provider') : chatFields;
  const refused =
    route === 'chat' ? unknown : [...unknown, ...ofChats.filter((field) => settings[field] !== undefined)];
  return [
    ...refused.map((field) => ({
      path: `/config/${field}`,
      message: `${model.openrouterId} ${routeWords[route]}, so this setting means nothing to it. Leave it out.`,
    })),
    ...checkAudio(question),
    ...checkImages(question),
    ...(route === 'images' ? checkProviderOfPictures(settings.provider) : []),
    ...checkSource(question),
    ...checkFiles(question),
    ...checkPictures(route, question),
    ...checkFilled(route, question),
  ];
}

function checkAudio({ model, route, settings }: RoutedModel): FieldProblem[] {
  const { audio } = settings;
  const problem = (field: string, message: string): FieldProblem[] => [{ path: `/config/audio${field}`, message }];
  if (route === 'chat') {
    if (audio === undefined) {
      return [];
    }
    if (!model.outputModalities.includes('audio')) {
      return problem('', `${model.openrouterId} does not speak.`);
    }
    return [
      ...(audio.voice === undefined ? problem('/voice', 'Name the voice to speak with, such as alloy.') : []),
      ...(audio.format === 'mp3' ? problem('/format', 'In a chat sound comes as wav.') : []),
      ...(audio.speed === undefined ? [] : problem('/speed', 'In a chat the speed cannot be set.')),
    ];
  }
  const { voices } = model;
  const voice = audio?.voice;
  return route === 'speech' && voices !== null && voice !== undefined && !voices.includes(voice)
    ? problem('/voice', `${model.openrouterId} has no voice "${voice}". It has: ${voices.slice(0, 20).join(', ')}.`)
    : [];
}

const ofPicturesAlone = [
  'size',
  'quality',
  'background',
  'outputFormat',
  'outputCompression',
  'n',
  'seed',
  'references',
  'filledBy',
] as const;

function checkImages({ model, route, settings, parameters }: RoutedModel): FieldProblem[] {
  const { imageConfig = {} } = settings;
  if (route === 'chat') {
    return ofPicturesAlone
      .filter((field) => imageConfig[field] !== undefined)
      .map((field) => ({
        path: `/config/imageConfig/${field}`,
        message: `${model.openrouterId} is asked in a chat, which has no such setting. Models that make pictures alone take it.`,
      }));
  }
  const { size, imageSize, aspectRatio, outputCompression, filledBy = {} } = imageConfig;
  const filled = new Map(listFilled(route, settings).map((one) => [one.field, listValues(one, parameters)]));
  const mayBe = (field: 'background' | 'outputFormat', value: string): boolean =>
    (filled.get(field) ?? [imageConfig[field]]).some((one) => one === value);
  const named = (field: string): string => (filled.has(field) ? `filledBy/${field}` : field);
  const problem = (field: string, message: string) => ({ path: `/config/imageConfig/${field}`, message });
  // https://openrouter.ai/docs/features/multimodal/image-generation: such requests are refused, or the setting ignored.
  return [
    ...(size !== undefined && (imageSize ?? aspectRatio ?? filledBy.aspectRatio) !== undefined
      ? [problem('size', 'A size in pixels says all: leave out imageSize and aspectRatio, or the size.')]
      : []),
    ...(mayBe('background', 'transparent') && mayBe('outputFormat', 'jpeg')
      ? [problem(named('background'), 'JPEG has no transparency: set outputFormat to png or webp.')]
      : []),
    ...((outputCompression ?? filledBy.outputCompression) !== undefined && mayBe('outputFormat', 'png')
      ? [
          problem(
            named('outputFormat'),
            'PNG is not compressed with loss: set jpeg or webp, or leave outputCompression out.',
          ),
        ]
      : []),
  ];
}

/** The parameter that holds what is worked on, where that is not the prompt. */
function checkSource({ route, settings, parameters }: RoutedModel): FieldProblem[] {
  const [field, member] = route === 'rerank' ? ['rerank', 'documents'] : ['transcription', 'audio'];
  if (route !== 'rerank' && route !== 'transcription') {
    return [];
  }
  const name = findSource(route, { settings, parameters });
  const index = parameters.findIndex((parameter) => parameter.name === name);
  const source = parameters[index];
  if (source !== undefined) {
    return route === 'rerank' || source.type === 'audio'
      ? []
      : [{ path: `/parameters/${index}/type`, message: `\`${name}\` holds the sound: make its type audio.` }];
  }
  const message =
    name === null
      ? `Say with {"${member}": …} which parameter holds the ${route === 'rerank' ? 'documents' : 'sound'}.`
      : `There is no parameter "${name}".`;
  return [{ path: settings[route] === undefined ? '/config' : `/config/${field}/${member}`, message }];
}

/** Other files than the sound of a transcription, and pictures to go by, would not be sent. */
function checkFiles({ model, route, settings, parameters }: RoutedModel): FieldProblem[] {
  if (route === 'images' || route === 'videos') {
    return checkUnnamed(route, { settings, parameters });
  }
  const source = findSource(route, { settings, parameters });
  const isSent = (parameter: Parameter): boolean =>
    route === 'chat' || !isMedia(parameter) || (route === 'transcription' && parameter.name === source);
  return parameters.flatMap((parameter, index) =>
    isSent(parameter)
      ? []
      : [
          {
            path: `/parameters/${index}/type`,
            message: `${model.openrouterId} ${routeWords[route]} and is sent no files: \`${parameter.name}\` cannot be one.`,
          },
        ],
  );
}

/** Null where it is not said and cannot be guessed; a call of a transcription holds the sound alone as a rule. */
export function findSource(
  route: ModelRoute,
  { settings, parameters }: Pick<RoutedModel, 'settings' | 'parameters'>,
): string | null {
  if (route === 'rerank') {
    return settings.rerank?.documents ?? null;
  }
  const only = parameters.length === 1 ? parameters[0]?.name : undefined;
  return route === 'transcription' ? (settings.transcription?.audio ?? only ?? null) : null;
}
