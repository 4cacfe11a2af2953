import { isObject } from '#kit/index.ts';
import type { MediaType } from '#resources/index.ts';
import { refuse, type Said, type SaidFile } from './asked.ts';

type Part = Record<string, unknown>;
type Read = (part: Part, path: string) => { text: string } | SaidFile;

/** Of both APIs: the names of their parts differ, so one list reads both. */
const parts: Readonly<Record<string, Read>> = {
  text: ({ text }, path) => ({ text: toText(text, `${path}/text`) }),
  input_text: ({ text }, path) => ({ text: toText(text, `${path}/text`) }),
  image_url: ({ image_url: image }, path) => toFile('image', isObject(image) ? image['url'] : image, path),
  input_image: ({ image_url: url, file_id: id }, path) => toFile('image', url ?? toUpload(id, path), path),
  video_url: ({ video_url: video }, path) => toFile('video', isObject(video) ? video['url'] : video, path),
  input_audio: ({ input_audio: audio }, path) => toSound(audio, path),
  file: ({ file }, path) => toDocument(isObject(file) ? file : {}, path),
  input_file: (part, path) => toDocument(part, path),
};

/** The content of the user's message: text, or parts of text and files. Throws a Problem. */
export function readContent(content: unknown, path: string): Said {
  if (content === undefined || content === null || typeof content === 'string') {
    return { text: content ?? '', files: [], path, ignored: [] };
  }
  if (!Array.isArray(content)) {
    throw refuse(path, 'The content of a message is text or a list of parts.');
  }
  const read = content.map((part: unknown, index) => readPart(part, `${path}/${index}`));
  const texts = read.flatMap((part) => ('text' in part ? [part.text] : []));
  const files = read.flatMap((part) => ('text' in part ? [] : [part]));
  const ignored = content.some(asksForDetail) ? ['detail'] : [];
  return { text: texts.join('\n'), files, path, ignored };
}

function readPart(part: unknown, path: string): ReturnType<Read> {
  const type = isObject(part) ? part['type'] : undefined;
  const read = typeof type === 'string' && Object.hasOwn(parts, type) ? parts[type] : undefined;
  if (!isObject(part) || !read) {
    throw refuse(`${path}/type`, `A part of a message is one of these types: ${Object.keys(parts).join(', ')}.`);
  }
  return read(part, path);
}

/** How closely a picture is looked at is the resource's own. */
function asksForDetail(part: unknown): boolean {
  const { image_url: image, detail } = isObject(part) ? part : {};
  const asked = isObject(image) ? image['detail'] : detail;
  return typeof asked === 'string' && asked !== 'auto';
}

function toText(text: unknown, path: string): string {
  if (typeof text !== 'string') {
    throw refuse(path, 'The text of a part is missing.');
  }
  return text;
}

function toFile(kind: MediaType, value: unknown, path: string): SaidFile {
  if (typeof value !== 'string') {
    throw refuse(path, 'This part names no file: give its URL, its data URL or the id of an upload.');
  }
  return { kind, value, path };
}

const soundTypes: Readonly<Record<string, string>> = { mp3: 'mpeg', m4a: 'mp4' };

function toSound(audio: unknown, path: string): SaidFile {
  const { data, format } = isObject(audio) ? audio : {};
  if (typeof data !== 'string' || typeof format !== 'string' || !/^[a-z0-9]{1,10}$/.test(format)) {
    throw refuse(`${path}/input_audio`, 'Give the sound as base64 in `data` and its `format`, such as "wav".');
  }
  return { kind: 'audio', value: `data:audio/${soundTypes[format] ?? format};base64,${data}`, path };
}

/** A file may be of any type; only a data URL tells which. */
function toDocument({ file_data: data, file_url: url, file_id: id }: Part, path: string): SaidFile {
  if (typeof data === 'string') {
    const value = data.startsWith('data:') ? data : `data:application/pdf;base64,${data}`;
    return { kind: toKind(/^data:([^;,]{1,100})/.exec(value)?.[1] ?? ''), value, path };
  }
  return toFile('file', url ?? toUpload(id, path), path);
}

/** What a content type is here. */
export function toKind(contentType: string): MediaType {
  const [family = ''] = contentType.split('/');
  const found = (['image', 'audio', 'video'] as const).find((kind) => kind === family);
  return contentType === 'application/pdf' ? 'pdf' : (found ?? 'file');
}

function toUpload(id: unknown, path: string): string | undefined {
  if (id === undefined || id === null) {
    return undefined;
  }
  const [, known] = /^(?:upload:)?([A-Za-z0-9_-]{16,128})$/.exec(typeof id === 'string' ? id : '') ?? [];
  if (known === undefined) {
    throw refuse(`${path}/file_id`, 'This is no id of an upload here: send the file to POST /api/uploads first.');
  }
  return `upload:${known}`;
}
