const MAX_CHARACTERS = 2048;
/** Header names (RFC 9110, 5.6.2), separated by commas. */
const NAMES = /^[!#$%&'*+.^_`|~0-9a-z-]+(?:[ \t]*,[ \t]*[!#$%&'*+.^_`|~0-9a-z-]+)*$/i;

/**
 * `Access-Control-Allow-Headers` of a preflight: what the browser asks to send, because tracing and SDKs add headers of their
 * own and none is worth refusing; else what is read here. Where cookies count, the origin is what decides.
 */
export function toAllowedHeaders(requested: string | undefined, known: string): Record<string, string> {
  const isList = requested !== undefined && requested.length <= MAX_CHARACTERS && NAMES.test(requested);
  return { 'Access-Control-Allow-Headers': isList ? requested : known, Vary: 'Access-Control-Request-Headers' };
}
