/** The parts of `s3rver` that tests use; it has no types of its own. */
declare module 's3rver' {
  import type { AddressInfo } from 'node:net';

  export default class S3rver {
    constructor(options: {
      address: string;
      port: number;
      silent: boolean;
      directory: string;
      configureBuckets: { name: string; configs: string[] }[];
    });
    /** Of Koa, in the order in which requests pass them. */
    middleware: ((context: S3Context, next: () => Promise<void>) => Promise<void>)[];
    run(): Promise<AddressInfo>;
    close(): Promise<void>;
  }

  export interface S3Context {
    status: number;
    body: string;
    respond: boolean;
    req: { socket: { destroy(): void } };
  }
}
