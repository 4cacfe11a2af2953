import { z } from 'zod';
import { jsonAnswer, noEvidence, type MediaReference, type ResourceKind } from '#resources/index.ts';
import type { Media, MediaKind } from '#media/index.ts';

interface ToyFile {
  expect: MediaKind;
  bytes: Buffer;
}

/** A whole kind that answers with the files that the test gives it. */
export function openToyMedia(media: Pick<Media, 'store'>, files: readonly ToyFile[]): ResourceKind<object> {
  return {
    name: 'toy_media',
    title: 'Toy media',
    summary: 'Answers with files.',
    configSchema: z.strictObject({}),
    evidenceSchema: z.object({}),
    answerSchema: z.object({ files: z.array(z.object({ id: z.string(), url: z.string() })) }),
    answerExample: { files: [] },
    examples: [
      {
        slug: 'files',
        name: 'Files',
        description: 'Answers with files.',
        category: 'media',
        priceUsdc: '0.01',
        parameters: [],
        config: {},
      },
    ],
    checkPublishable: async () => [],
    toPublic: () => ({}),
    isReady: async () => ({ ready: true }),
    run: async ({ ownerId, mediaRetentionSeconds: retentionSeconds }, _input, { callId }) => {
      const stored: MediaReference[] = [];
      for (const { expect, bytes } of files) {
        stored.push(await media.store({ ownerId, callId, retentionSeconds, expect, source: { bytes } }));
      }
      const answer = jsonAnswer({ files: stored.map((file) => ({ ...file })) }, stored);
      return { ok: true, answer, evidence: { ...noEvidence, attempts: 1, costUsd: '0' } };
    },
  };
}

/** A video that is whole as MP4 files are: a beginning, and one box with these bytes. */
export function makeVideo(content: Buffer): Buffer {
  const box = Buffer.from('\0\0\0\0mdat', 'latin1');
  box.writeUInt32BE(content.length + box.length);
  return Buffer.concat([Buffer.from('\0\0\0\x18ftypisom\0\0\0\0isommp41', 'latin1'), box, content]);
}
