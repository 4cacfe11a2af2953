import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';

export interface ListedObject {
  key: string;
  modifiedMs: number;
}

const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === 'Contents' });

const listing = z.object({
  ListBucketResult: z.object({
    IsTruncated: z.enum(['true', 'false']).default('false'),
    NextContinuationToken: z.string().optional(),
    Contents: z.array(z.object({ Key: z.string(), LastModified: z.string() })).default([]),
  }),
});

/** The answer to ListObjectsV2. `next`: where the next page begins; null on the last. */
export function parseListing(xml: string): { objects: ListedObject[]; next: string | null } {
  const { ListBucketResult: result } = listing.parse(parser.parse(xml));
  return {
    objects: result.Contents.map(({ Key: key, LastModified: at }) => ({ key, modifiedMs: Date.parse(at) })),
    next: result.IsTruncated === 'true' ? (result.NextContinuationToken ?? null) : null,
  };
}
