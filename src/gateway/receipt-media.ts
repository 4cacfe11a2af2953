import type { MediaReference } from '#resources/index.ts';
import type { Receipt } from './call-request.ts';

/** A receipt names the files that were paid for by their hashes: so a buyer can show later what was delivered. */
export function withMedia(receipt: Receipt, media: readonly MediaReference[]): Receipt {
  const named = media.map(({ id, sha256, sizeBytes, contentType }) => ({ id, sha256, sizeBytes, contentType }));
  return named.length === 0 ? receipt : { ...receipt, media: named };
}
