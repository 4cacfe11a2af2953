import type { CatalogueModel } from './catalogue.ts';
import type { ChatRequest } from './parse-chat.ts';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';

/** The parts of a message that a model has to read by itself; files are parsed for every model. */
const modalities: Readonly<Record<string, string>> = {
  image_url: 'image',
  input_audio: 'audio',
  video_url: 'video',
  input_video: 'video',
};

/** Refuses parts that no endpoint of the model reads, and sound that is no base64; null where all of them are read. */
export function checkInputs(model: CatalogueModel, request: ChatRequest): Refusal | null {
  const parts = request.messages.flatMap(({ content }) => (Array.isArray(content) ? content : []));
  const wanted = [...new Set(parts.map(({ type }) => modalities[type] ?? (isNative(request, type) ? 'file' : null)))];
  const missing = wanted.find((one) => one !== null && !model.architecture.input_modalities.includes(one));
  if (missing) {
    return refuse(404, `No endpoints found that support ${missing} input`, { error_type: 'not_found' });
  }
  const sounds = parts.filter(({ type }) => type === 'input_audio').map((part) => part['input_audio']);
  return sounds.every(isSound)
    ? null
    : refuse(400, 'Invalid input: input_audio needs raw base64 in "data" and a "format"', {
        error_type: 'invalid_request',
      });
}

function isNative(request: ChatRequest, type: string): boolean {
  const plugins = request['plugins'];
  const parsers = Array.isArray(plugins) ? (plugins as { id?: unknown; pdf?: { engine?: unknown } }[]) : [];
  return type === 'file' && parsers.some(({ id, pdf }) => id === 'file-parser' && pdf?.engine === 'native');
}

function isSound(value: unknown): boolean {
  const { data, format } = (value ?? {}) as { data?: unknown; format?: unknown };
  return typeof data === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(data) && typeof format === 'string';
}
