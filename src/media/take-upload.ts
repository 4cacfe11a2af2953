import { randomBytes } from 'node:crypto';
import { Problem, sha256Hex } from '#kit/index.ts';
import { keepObject } from './keep-object.ts';
import type { MediaDeps } from './media-deps.ts';
import { tooLarge } from './media-limits.ts';
import { receiveFile, type ReceivedFile } from './receive-file.ts';
import { reserveUpload, settleReservation, toCounted } from './reserve-upload.ts';
import type { MediaKind } from './sniff-head.ts';
import { sniffMedia, type SniffedMedia } from './sniff-media.ts';
import { MAX_JSON_BYTES, toTextType } from './sniff-text.ts';
import { checkLimits, listTypes } from './store-media.ts';

export interface SentUpload {
  stream: AsyncIterable<Uint8Array>;
  /** As its header says; absent where the sender does not know it yet. */
  declaredBytes: number | undefined;
  /** Tells plain text, CSV and JSON apart; everything else is recognised by its bytes. */
  contentType: string | undefined;
  /** What it is counted by: the network that it comes from. */
  sender: string;
}

export interface TakenUpload {
  /** Random, 192 bits: whoever has it may use the upload in a call, and nobody else. */
  id: string;
  contentType: string;
  kind: MediaKind;
  sizeBytes: number;
  sha256: string;
  expiresAt: string;
}

const WHAT = 'An upload';

/** Throws `too_large` before anything is read where the declared length says so, `rate_limited`, `unprocessable` and `invalid_input`. */
export async function takeUpload(deps: MediaDeps, sent: SentUpload): Promise<TakenUpload> {
  const { maxBytes, receivedWithinMs } = deps.uploads;
  if (sent.declaredBytes !== undefined && sent.declaredBytes > maxBytes) {
    throw tooLarge(WHAT, maxBytes);
  }
  if (sent.declaredBytes === 0) {
    throw new Problem('unprocessable', { detail: `${WHAT} is empty. Send the bytes of the file as the body.` });
  }
  const id = randomBytes(24).toString('base64url');
  const idHash = sha256Hex(id);
  const reserved = await reserveUpload(deps, { ...sent, idHash, maxBytes: sent.declaredBytes ?? maxBytes });
  const read = { bytes: 0, isKept: false };
  try {
    const stream = count(readWithin(sent.stream, receivedWithinMs), read);
    const limit = sent.declaredBytes ?? maxBytes;
    const file = await receiveFile({ incoming: deps.incoming, maxBytes: limit, what: WHAT }, { stream });
    try {
      const kept = await keep(deps, { idHash, file, contentType: sent.contentType });
      read.isKept = true;
      return { id, ...kept };
    } finally {
      await file.remove();
    }
  } finally {
    await settleReservation(deps, reserved, { usedBytes: read.bytes, isKept: read.isKept });
  }
}

interface Received {
  idHash: string;
  file: ReceivedFile;
  contentType: string | undefined;
}

async function keep(deps: MediaDeps, { idHash, file, contentType }: Received): Promise<Omit<TakenUpload, 'id'>> {
  const type = toTextType(contentType);
  const sniffed = await sniffMedia(file.path, type);
  if (!sniffed) {
    throw type === 'application/json' && (await sniffMedia(file.path, 'text/plain')) ? noJson() : unknownType();
  }
  checkLimits(deps, sniffed, file.sizeBytes);
  const expiresAt = new Date(deps.clock.now() + deps.uploads.keptForMs);
  await keepObject(deps, file, async (tx, objectId) => {
    const { rowCount } = await tx.query(
      `UPDATE media_uploads SET object_id = $2, bytes = $3, kind = $4, content_type = $5, expires_at = $6
        WHERE id_hash = $1 AND object_id IS NULL`,
      [idHash, objectId, toCounted(file.sizeBytes), sniffed.kind, sniffed.contentType, expiresAt],
    );
    if (rowCount !== 1) {
      throw new Problem('unavailable', { detail: 'The upload could not be kept in time.', next: 'Send it again.' });
    }
  });
  return { ...toFacts(sniffed), sizeBytes: file.sizeBytes, sha256: file.sha256, expiresAt: expiresAt.toISOString() };
}

function unknownType(): Problem {
  return new Problem('unprocessable', {
    detail: `The file is not of a type that is taken here: ${listTypes()}.`,
    next: 'Send the bytes of such a file as the body. Text also needs its Content-Type: text/plain, text/csv or application/json.',
  });
}

/** Text all the same. */
function noJson(): Problem {
  return new Problem('unprocessable', {
    detail: `The file is sent as application/json and is not valid JSON of at most ${MAX_JSON_BYTES / 1_000} kB.`,
    next: 'Mend the JSON and send it again, or send it with Content-Type: text/plain where the resource takes text.',
  });
}

function toFacts({ contentType, kind }: SniffedMedia): Pick<TakenUpload, 'contentType' | 'kind'> {
  return { contentType, kind };
}

async function* count(stream: AsyncIterable<Uint8Array>, read: { bytes: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) {
    read.bytes += chunk.length;
    yield chunk;
  }
}

/** A sender who is slow on purpose does not hold a place for long. */
async function* readWithin(stream: AsyncIterable<Uint8Array>, withinMs: number): AsyncGenerator<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]();
  const late = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => late.resolve('late'), withinMs);
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), late.promise]);
      if (next === 'late') {
        throw new Problem('invalid_input', {
          detail: `The upload did not arrive within ${withinMs / 1000} s.`,
          next: 'Send a smaller file, or give the URL of the file to the resource instead.',
          headers: { Connection: 'close' },
        });
      }
      if (next.done) {
        return;
      }
      yield next.value;
    }
  } finally {
    clearTimeout(timer);
    // Not awaited: a sender who has stopped sending would be waited for.
    void iterator.return?.().catch(() => {});
  }
}
