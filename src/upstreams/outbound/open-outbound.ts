import { Agent, type Dispatcher } from 'undici';
import { checkUrl } from './check-url.ts';
import { openPublicLookup, type Resolver } from './public-address.ts';

/** The only way to a host that a user named. */
export interface Outbound {
  /** The URL and the connections to reach it with; throws `invalid_input` when it may not be called. */
  open(url: string): { url: URL; dispatcher: Dispatcher };
  close(): Promise<void>;
}

interface OutboundOptions {
  /** Origins that are called although they are not public: the sandbox's own servers, and those that the operator names. */
  allowedOrigins?: readonly string[];
  /** The setting in which the operator names them. */
  allowedBy?: string;
  /** Of host names; the system's unless told. */
  resolve?: Resolver;
}

export function openOutbound(options: OutboundOptions = {}): Outbound {
  const allowedOrigins = new Set((options.allowedOrigins ?? []).map((url) => new URL(url).origin));
  const limits = { connections: 1_024, keepAliveTimeout: 10_000, maxHeaderSize: 16_384 };
  const guarded = new Agent({ ...limits, connect: { lookup: openPublicLookup(options.resolve), timeout: 10_000 } });
  const sandbox = new Agent(limits);
  return {
    open: (text) => {
      const url = checkUrl(text, { allowedOrigins, allowedBy: options.allowedBy });
      return { url, dispatcher: allowedOrigins.has(url.origin) ? sandbox : guarded };
    },
    close: async () => {
      await Promise.all([guarded.close(), sandbox.close()]);
    },
  };
}
