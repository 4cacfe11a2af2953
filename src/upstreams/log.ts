/** The part of a pino logger that upstreams write to: status codes, ids and durations; never bodies, messages or keys. */
export interface Log {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}
