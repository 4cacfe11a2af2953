interface Addressed {
  /** The header X-Forwarded-For as it came. */
  forwardedFor: string | undefined;
  /** Of the connection. */
  peer: string | undefined;
}

/** The address that the outermost trusted proxy saw. `hops`: how many proxies in front append to X-Forwarded-For. */
export function toClientAddress({ forwardedFor = '', peer = 'unknown' }: Addressed, hops: number): string {
  const forwarded = forwardedFor.split(',').map((part) => part.trim());
  return (hops > 0 ? forwarded.at(-hops) : undefined) || peer;
}
