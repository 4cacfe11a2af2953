import type { ContentPart } from '#upstreams/index.ts';

/** `data:audio/wav;base64,…`; empty for a part without bytes. */
export function toDataUrl(part: ContentPart): string {
  return part.type === 'media' && part.bytes !== null
    ? `data:${part.contentType};base64,${Buffer.from(part.bytes).toString('base64')}`
    : '';
}
