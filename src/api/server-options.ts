import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { BoundOperation, Caller, Json } from '#kit/index.ts';
import type { UsageFilters } from '#usage/index.ts';
import type { AuditEntry } from './record-audit.ts';
import type { Metrics } from './open-metrics.ts';
import type { PublicResource } from './public-resource.ts';

/** What the surfaces log with; pino fits. */
export interface Log {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface RateLimiter {
  /** Takes one unit; `retryAfterSeconds` tells when there is one again. */
  take(key: string): Promise<{ isAllowed: boolean; retryAfterSeconds: number }>;
}

export interface Readiness {
  ready: boolean;
  /** Everybody may read it: names and states, no addresses, no error texts. */
  checks: Readonly<Record<string, boolean>>;
}

/** What the management surfaces are made of. */
export interface AppOptions {
  /** The origin that people see; cookies and forms count only for it and for `trustedOrigins`. */
  publicUrl: string;
  trustedOrigins?: readonly string[];
  /** How many proxies in front append to X-Forwarded-For. */
  trustedProxyHops?: number;
  version: string;
  operations: readonly BoundOperation[];
  authenticate(headers: Headers): Promise<Caller>;
  /** Serves /api/auth/*. */
  authHandler(request: Request, clientAddress: string): Promise<Response>;
  readiness(): Promise<Readiness>;
  /** Given in sandbox mode only. */
  sandbox?: { describe(): Promise<Json> | Json; faucet(address: string): Promise<Json> };
  /** Null when there is no such image, the signature is wrong or the time is over. */
  readImage(
    id: string,
    link: { expires: string; signature: string },
  ): Promise<{ bytes: Uint8Array; contentType: string } | null>;
  usageCsv(caller: Caller, filters: UsageFilters): Readable;
  landing: {
    listResources(): Promise<readonly PublicResource[]>;
    findResource(creator: string, slug: string): Promise<PublicResource | null>;
  };
  recordAudit(entry: AuditEntry): Promise<void>;
  log: Log;
  /** Counted by client address; none means unlimited. */
  limits?: { api?: RateLimiter; auth?: RateLimiter; faucet?: RateLimiter };
  metrics?: Metrics;
}

export interface ServerOptions extends AppOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** The paid call, in front of everything for its paths. `false`: not mine. */
  paidRoute(req: IncomingMessage, res: ServerResponse): boolean | Promise<boolean>;
  /** How long `close` waits for requests under way. */
  closeWithinMs?: number;
}
