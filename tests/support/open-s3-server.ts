import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver, { type S3Context } from 's3rver';
import type { S3Options } from '#upstreams/index.ts';

export interface S3Server {
  options: S3Options;
  /** Settings of a server that keeps its files there. */
  environment: Record<string, string>;
  /** Answers that the next requests get instead of what they ask for; 'broken': none, the connection ends. */
  failNext(...statuses: (number | 'broken')[]): void;
  close(): Promise<void>;
}

/** A real S3 server with an empty bucket. The key is the one that it knows. */
export async function openS3Server(bucket = 'farebox-media'): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'farebox-s3-'));
  const faults: (number | 'broken')[] = [];
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: bucket, configs: [] }],
  });
  server.middleware.unshift(async (context: S3Context, next) => {
    const fault = faults.shift();
    if (fault === undefined) {
      return next();
    }
    if (fault === 'broken') {
      context.respond = false;
      context.req.socket.destroy();
      return;
    }
    context.status = fault;
    context.body = '<Error><Code>Injected</Code><Message>secret-key-name</Message></Error>';
  });
  const { port } = await server.run();
  const options: S3Options = {
    endpoint: `http://127.0.0.1:${port}`,
    bucket,
    region: 'us-east-1',
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    pathStyle: true,
  };
  return {
    options,
    environment: {
      MEDIA_S3_ENDPOINT: options.endpoint,
      MEDIA_S3_BUCKET: bucket,
      MEDIA_S3_ACCESS_KEY_ID: options.accessKeyId,
      MEDIA_S3_SECRET_ACCESS_KEY: options.secretAccessKey,
    },
    failNext: (...statuses) => void faults.push(...statuses),
    close: async () => {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
