import type { Reply } from '../reply.ts';
import { splitText } from '../split-text.ts';
import type { State } from '../state.ts';
import type { Frame } from '../wire.ts';
import type { DrawnPicture } from './draw-pictures.ts';

/** How often a picture is shown before it is finished. */
const DRAFTS = 2;

/**
 * The events of `POST /images` with `stream`: of each picture what there is of it before it is finished (pictures, or the
 * markup of a vector in pieces), then the whole, the last with the usage.
 */
export function listEvents(
  pictures: readonly DrawnPicture[],
  { created, usage }: { created: number; usage: object },
): object[] {
  return pictures.flatMap((picture, at) => [
    ...toDrafts(picture),
    {
      type: 'image_generation.completed',
      b64_json: picture.b64_json,
      media_type: picture.media_type,
      created,
      ...(at === pictures.length - 1 ? { usage } : {}),
    },
  ]);
}

/** An error in the place of the first finished picture. */
export function breakOff(pictures: readonly DrawnPicture[]): object[] {
  const message = 'The upstream provider returned an error';
  const error = { code: 'upstream_error', message, param: null, type: 'provider_error' };
  return [...pictures.slice(0, 1).flatMap(toDrafts), { type: 'error', error }];
}

export function replyPictureEvents(
  { latency }: State,
  events: readonly object[],
  headers: Record<string, string>,
): Reply {
  const lines = [...events.map((event) => JSON.stringify(event)), '[DONE]'];
  const frames: Frame[] = lines.map((line) => ({ text: `data: ${line}\n\n`, tokens: 0 }));
  // All of it is billed already: pictures are billed whole or not at all.
  return { kind: 'stream', frames, headers, delayMs: 0, latency, settle: () => {} };
}

function toDrafts({ markup, drawDraft }: DrawnPicture): object[] {
  return markup === null
    ? Array.from({ length: DRAFTS }, (_, at) => ({
        type: 'image_generation.partial_image',
        partial_image_index: at,
        b64_json: drawDraft(at),
      }))
    : splitText(markup).map((text) => ({ type: 'image_generation.text_chunk', phase: 'content', text }));
}
