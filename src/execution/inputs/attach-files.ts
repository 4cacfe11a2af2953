import type { Media } from '#media/index.ts';
import { isMedia, type Parameter } from '#resources/index.ts';
import type { ContentPart } from '#upstreams/index.ts';
import { isKeptFile, isUnusable, type KeptFile } from './kept-file.ts';

type Input = Readonly<Record<string, unknown>>;

/** The files of a call by the names of their parameters, ready for a message. */
export type Attachments = ReadonlyMap<string, ContentPart>;

/** `cause`: for the creator. */
export type Attached =
  | { ok: true; files: Attachments; parameters: Parameter[] }
  | { ok: false; problem: 'unprocessable' | 'unavailable'; cause: string };

/** Always the bytes that were checked, never the buyer's URL: an upstream fetches nothing that a buyer names. */
export async function attachFiles(
  { media }: { media: Pick<Media, 'readInput'> },
  parameters: readonly Parameter[],
  input: Input,
): Promise<Attached> {
  const files = new Map<string, ContentPart>();
  for (const { name } of parameters.filter(isMedia)) {
    const value = input[name];
    if (value === undefined || value === null) {
      continue;
    }
    if (isUnusable(value)) {
      return {
        ok: false,
        problem: 'unprocessable',
        cause: `input_unusable: The file of \`${name}\` ${value.unusable}.`,
      };
    }
    if (!isKeptFile(value)) {
      return {
        ok: false,
        problem: 'unavailable',
        cause: `input_missing: The file of \`${name}\` could not be fetched.`,
      };
    }
    const bytes = await media.readInput(value);
    if (bytes === null) {
      return { ok: false, problem: 'unprocessable', cause: `input_gone: The file of \`${name}\` is no longer kept.` };
    }
    files.set(name, toPart(name, value, bytes));
  }
  return { ok: true, files, parameters: parameters.filter(({ name }) => files.has(name)) };
}

/** What stands for the files where the prompt is shown. */
export function describeFiles(parameters: readonly Parameter[], input: Input): Attachments {
  const given = parameters.filter((parameter) => isMedia(parameter) && input[parameter.name] !== undefined);
  return new Map(given.map(({ name, type }) => [name, { type: 'text', text: `[${type} ${name}]` }]));
}

/** Named after the parameter: what a buyer called it says nothing and may say anything. */
function toPart(name: string, { kind, contentType }: KeptFile, bytes: Uint8Array): ContentPart {
  const ending = contentType.split('/')[1] ?? 'bin';
  return { type: 'media', kind, contentType, bytes, filename: `${name}.${ending}` };
}
