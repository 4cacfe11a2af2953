import { isDataUrl, type FieldProblem } from '#kit/index.ts';
import type { Parameter } from './parameter.ts';

/** Types of parameters whose value is a file. */
export const mediaTypes = ['image', 'audio', 'video', 'pdf', 'file'] as const;
export type MediaType = (typeof mediaTypes)[number];

export type MediaParameter = Parameter & { type: MediaType };

/** What a file may be and how large; null: not limited. */
export interface MediaCaps {
  contentTypes: readonly string[];
  maxBytes: number;
  maxPixels: number | null;
  maxPages: number | null;
  maxSeconds: number | null;
}

const MB = 1_000_000;
/** A call carries no more in all: it is held in memory, and sent on as base64. */
export const MAX_MEDIA_BYTES = 40 * MB;

const images = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const sounds = ['audio/wav', 'audio/mpeg', 'audio/ogg', 'audio/flac', 'audio/aac', 'audio/mp4'];
const films = ['video/mp4', 'video/webm', 'video/quicktime'];
const pdfs = ['application/pdf'];

/** Without limits of its own a parameter has these; the content types are those that bytes can be told by. */
const usual: Readonly<Record<MediaType, MediaCaps>> = {
  image: { contentTypes: images, maxBytes: 5 * MB, maxPixels: 25_000_000, maxPages: null, maxSeconds: null },
  audio: { contentTypes: sounds, maxBytes: 10 * MB, maxPixels: null, maxPages: null, maxSeconds: 600 },
  video: { contentTypes: films, maxBytes: 20 * MB, maxPixels: null, maxPages: null, maxSeconds: 120 },
  pdf: { contentTypes: pdfs, maxBytes: 10 * MB, maxPixels: null, maxPages: 50, maxSeconds: null },
  file: { contentTypes: pdfs, maxBytes: 10 * MB, maxPixels: null, maxPages: 50, maxSeconds: null },
};

/** The most that a parameter of the type may allow. */
const most: Readonly<Record<MediaType, Omit<MediaCaps, 'contentTypes'>>> = {
  image: { maxBytes: 20 * MB, maxPixels: 100_000_000, maxPages: null, maxSeconds: null },
  audio: { maxBytes: 25 * MB, maxPixels: null, maxPages: null, maxSeconds: 7_200 },
  video: { maxBytes: 30 * MB, maxPixels: null, maxPages: null, maxSeconds: 3_600 },
  pdf: { maxBytes: 20 * MB, maxPixels: null, maxPages: 1_000, maxSeconds: null },
  file: { maxBytes: 20 * MB, maxPixels: 100_000_000, maxPages: 1_000, maxSeconds: 7_200 },
};

const limits = ['maxBytes', 'maxPixels', 'maxPages', 'maxSeconds'] as const;

/** A parameter of type `file` may be of any of these. */
const acceptable: Readonly<Record<MediaType, readonly string[]>> = {
  image: images,
  audio: sounds,
  video: films,
  pdf: pdfs,
  file: [...pdfs, ...images, ...sounds, ...films],
};

export function isMedia(parameter: Parameter): parameter is MediaParameter {
  return (mediaTypes as readonly string[]).includes(parameter.type);
}

/** The parameter's own limits over the usual ones. */
export function toMediaCaps(parameter: MediaParameter): MediaCaps {
  const { type, contentTypes, maxBytes, maxPixels, maxPages, maxSeconds } = parameter;
  const preset = usual[type];
  const accepted = contentTypes ?? preset.contentTypes;
  const takes = (kind: MediaType): boolean => accepted.some((one) => acceptable[kind].includes(one));
  return {
    contentTypes: accepted,
    maxBytes: maxBytes ?? preset.maxBytes,
    maxPixels: maxPixels ?? preset.maxPixels ?? (takes('image') ? usual.image.maxPixels : null),
    maxPages: maxPages ?? (takes('pdf') ? preset.maxPages : null),
    maxSeconds: maxSeconds ?? preset.maxSeconds ?? toUsualSeconds(takes),
  };
}

function toUsualSeconds(takes: (kind: MediaType) => boolean): number | null {
  return takes('video') ? usual.video.maxSeconds : takes('audio') ? usual.audio.maxSeconds : null;
}

/** Limits that do not go with the type or are beyond what is carried here. */
export function checkMediaParameter(parameter: MediaParameter): FieldProblem[] {
  const { type, contentTypes, default: fallback } = parameter;
  const allowed = acceptable[type];
  const strange = (contentTypes ?? []).filter((one) => !allowed.includes(one));
  const found: FieldProblem[] = limits.flatMap((field) => {
    const value = parameter[field];
    const bound = most[type][field];
    if (value === undefined || (bound !== null && value <= bound)) {
      return [];
    }
    const message =
      bound === null ? `\`${field}\` does not apply to the type "${type}".` : `\`${field}\` is at most ${bound} here.`;
    return [{ path: `/${field}`, message }];
  });
  if (strange.length > 0) {
    const message = `Of the type "${type}" these content types are read: ${allowed.join(', ')}.`;
    found.push({ path: '/contentTypes', message });
  }
  if (contentTypes?.length === 0) {
    found.push({ path: '/contentTypes', message: 'Name at least one content type, or leave the field out.' });
  }
  if (fallback !== undefined) {
    found.push({ path: '/default', message: 'A file has no default: make the parameter optional instead.' });
  }
  return found;
}

/** What all files of one call may have in all. */
export function checkMediaTotal(parameters: readonly Parameter[]): FieldProblem[] {
  const total = parameters.filter(isMedia).reduce((sum, parameter) => sum + toMediaCaps(parameter).maxBytes, 0);
  const message = `The files of one call may have ${total} bytes together, and at most ${MAX_MEDIA_BYTES} are carried. Lower \`maxBytes\`.`;
  return total > MAX_MEDIA_BYTES ? [{ path: '/parameters', message }] : [];
}

const UPLOAD = /^upload:[A-Za-z0-9_-]{16,128}$/;

/** The forms in which a file is given; what it holds is looked at later. */
export function isMediaText(text: string): boolean {
  return UPLOAD.test(text) || isDataUrl(text) || isUrl(text);
}

function isUrl(text: string): boolean {
  return text.length <= 2_048 && /^https?:\/\//i.test(text) && URL.canParse(text);
}
