/** The settings of stored files: where they lie, how large and how many they may be, and how long they are kept. */
import { z } from 'zod';
import type { openMedia } from '#media/index.ts';
import type { S3Options } from '#upstreams/index.ts';
import { list, origin, secret, setting, whole } from './setting.ts';

export const mediaSettings = {
  MEDIA_S3_ENDPOINT: setting(
    origin('http|https').optional(),
    'The origin of an object store that speaks the S3 API, for the files of answers and uploads, such as `https://s3.eu-central-1.amazonaws.com`, whose MEDIA_S3_REGION is `eu-central-1`. Several processes then need no shared folder.',
    'none: files lie in DATA_DIR, which several processes share',
  ),
  MEDIA_S3_BUCKET: setting(
    z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket')
      .optional(),
    'Its bucket, which must be there; no one but this server needs to read it. Needed with MEDIA_S3_ENDPOINT, as are the two keys.',
    'none',
  ),
  MEDIA_S3_REGION: setting(
    z.string().min(1).default('us-east-1'),
    'Its region, as the service calls it.',
    '`us-east-1`',
  ),
  MEDIA_S3_ACCESS_KEY_ID: secret(
    z.string().min(1).optional(),
    'The id of a lasting access key that may list the bucket and read, write and delete in it. Keys that come with a session token cannot be used.',
    'none',
  ),
  MEDIA_S3_SECRET_ACCESS_KEY: secret(z.string().min(1).optional(), 'The secret of that key.', 'none'),
  MEDIA_S3_ADDRESSING: setting(
    z.enum(['path', 'host']).default('path'),
    'Where the bucket stands in an address: `path` (`https://host/bucket/key`) or `host` (`https://bucket.host/key`).',
    '`path`',
  ),
  MEDIA_MAX_MB: setting(
    list(
      z
        .string()
        .regex(/^(image|audio|video|file)=(2000|1\d{3}|[1-9]\d{0,2})$/, 'must look like video=200, at most 2000'),
    ).default([]),
    'The largest file that is kept, of an answer or an upload, by its kind, in MB: `video=500,image=10`. At most 2000 each; a kind that is not named has what stands here. Uploads have UPLOAD_MAX_MB, too.',
    '`image=20,audio=50,video=200,file=20`',
  ),
  MEDIA_MAX_MEGAPIXELS: setting(whole(1, 1_000).default(64), 'The most that a picture may have.', '`64`'),
  MEDIA_MAX_RETENTION_DAYS: setting(
    whole(1, 365).default(90),
    'The longest that creators may have the files of their answers kept.',
    '`90`',
  ),
  UPLOAD_MAX_MB: setting(whole(1, 200).default(20), 'The largest file that anybody may upload for a call.', '`20`'),
  UPLOADS_TOTAL_MB: setting(
    whole(10, 1_000_000).default(2_000),
    'What all uploads together may take at one time, those that are being received included; one sender may have a tenth of it. An upload is kept for an hour.',
    '`2000`',
  ),
  UPLOADS_DAILY_MB: setting(whole(10, 1_000_000).default(20_000), 'The same for a day (UTC).', '`20000`'),
};

type MediaSettings = { [Name in keyof typeof mediaSettings]: z.output<(typeof mediaSettings)[Name]['schema']> };

/** An object store is described whole or not at all. */
export function mediaProblems(values: Partial<MediaSettings>): string[] {
  const needed = [
    'MEDIA_S3_ENDPOINT',
    'MEDIA_S3_BUCKET',
    'MEDIA_S3_ACCESS_KEY_ID',
    'MEDIA_S3_SECRET_ACCESS_KEY',
  ] as const;
  const missing = needed.filter((name) => name in values && values[name] === undefined);
  return missing.length === needed.length
    ? []
    : missing.map((name) => `${name}: is needed with the other settings of the object store`);
}

/** Null where files lie in a folder. */
export function toS3Options(config: MediaSettings): S3Options | null {
  const { MEDIA_S3_ENDPOINT: endpoint, MEDIA_S3_BUCKET: bucket } = config;
  const { MEDIA_S3_ACCESS_KEY_ID: accessKeyId, MEDIA_S3_SECRET_ACCESS_KEY: secretAccessKey } = config;
  return endpoint && bucket && accessKeyId && secretAccessKey
    ? {
        endpoint,
        bucket,
        accessKeyId,
        secretAccessKey,
        region: config.MEDIA_S3_REGION,
        pathStyle: config.MEDIA_S3_ADDRESSING === 'path',
      }
    : null;
}

const MB = 1_000_000;

/** What `openMedia` is told of limits. */
export function toMediaLimits(
  config: MediaSettings,
): Required<Pick<Parameters<typeof openMedia>[0], 'limits' | 'uploads'>> {
  const given = config.MEDIA_MAX_MB.map((entry) => {
    const [kind = '', megabytes] = entry.split('=');
    return [kind, Number(megabytes) * MB] as const;
  });
  return {
    limits: { maxBytes: Object.fromEntries(given), maxPixels: config.MEDIA_MAX_MEGAPIXELS * MB },
    uploads: {
      maxBytes: config.UPLOAD_MAX_MB * MB,
      totalBytes: config.UPLOADS_TOTAL_MB * MB,
      dailyBytes: config.UPLOADS_DAILY_MB * MB,
    },
  };
}
