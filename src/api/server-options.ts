import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { BoundOperation, Caller, OperationPorts, Json, Log, RateLimiter, Source } from '#kit/index.ts';
import type { KindView } from '#resources/index.ts';
import type { Models } from './openai/open-models.ts';
import type { Metrics } from './open-metrics.ts';
import type { PublicResource, ResourceContract } from './public-resource.ts';

export interface Readiness {
  ready: boolean;
  /** Everybody may read it: names and states, no addresses, no error texts. */
  checks: Readonly<Record<string, boolean>>;
}

/** A stored file as it is served. */
export interface ServedMedia {
  kind: string;
  contentType: string;
  sizeBytes: number;
  /** Hexadecimal. */
  sha256: string;
  expiresAt: Date;
  /** Throws `gone` where it is lost. */
  assertThere(): Promise<void>;
  /** The same. Offsets of bytes, both included. */
  read(range?: { start: number; end: number }): Promise<Readable>;
}

/** A file that somebody sends before a call. */
interface SentUpload {
  stream: AsyncIterable<Uint8Array>;
  declaredBytes: number | undefined;
  contentType: string | undefined;
  /** The network that it comes from. */
  sender: string;
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
  /** How operations are carried out; its limit is the one of the management API. */
  ports: OperationPorts;
  /** For the documents: the configuration of a resource depends on its kind. */
  kinds: readonly KindView[];
  authenticate(headers: Headers): Promise<Caller>;
  /** Serves /api/auth/*. `body`: the JSON object of a POST. Throws a Problem where it refuses. */
  authHandler(sent: { request: Request; body: unknown; clientAddress: string }): Promise<Response>;
  readiness(): Promise<Readiness>;
  /** Given in sandbox mode only. */
  sandbox?: { describe(): Promise<Json> | Json; faucet(address: string): Promise<Json> };
  /** By a signed link. Throws `forbidden` and `gone`. */
  openMedia(id: string, link: { expires: string; signature: string }): Promise<ServedMedia>;
  takeUpload(sent: SentUpload): Promise<{ [name: string]: Json }>;
  /** Where a provider's consent page sends browsers, and the operation that finishes what was begun there. */
  connect?: { callbackPath: string; operation: BoundOperation };
  /** Throws `invalid_input`, `not_found` and `gone`. */
  getContract(resourceId: string, source: Source): Promise<ResourceContract>;
  landing: {
    /** What the operator has chosen for the front page. */
    listFeatured(source: Source): Promise<readonly PublicResource[]>;
    /** Everything, newest first. */
    listPublished(
      cursor: string | null,
      source: Source,
    ): Promise<{ items: readonly PublicResource[]; nextCursor: string | null }>;
    findResource(place: { creator: string; slug: string }, source: Source): Promise<PublicResource | null>;
  };
  /** What can be called, as OpenAI's clients list it. */
  models: Models;
  log: Log;
  /** Of what is no operation; counted by client address; none means unlimited. */
  limits?: { auth?: RateLimiter; faucet?: RateLimiter; pages?: RateLimiter; uploads?: RateLimiter };
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
