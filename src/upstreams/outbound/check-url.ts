import { Problem } from '#kit/index.ts';
import { isPublicAddress } from './public-address.ts';

const ALLOWED_PORTS = new Set(['', '443', '8443']);
const MAX_URL_LENGTH = 2_048;

interface UrlRules {
  allowedOrigins: ReadonlySet<string>;
  /** The setting in which the operator allows origins by name; who is refused is told it. */
  allowedBy?: string | undefined;
}

/**
 * Reads a URL that a user gave: https, port 443 or 8443, no credentials, a public host; or an origin that is allowed by
 * name (the sandbox's own servers). Throws `invalid_input` that says which rule is broken.
 * What the host resolves to is checked when it is connected to.
 */
export function checkUrl(text: string, { allowedOrigins, allowedBy }: UrlRules): URL {
  if (text.length > MAX_URL_LENGTH || !URL.canParse(text)) {
    throw refuse('This is not a URL.');
  }
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw refuse('A URL must not hold a user name or password.');
  }
  if (allowedOrigins.has(url.origin)) {
    return url;
  }
  const unless = allowedBy === undefined ? '.' : `, unless the operator names their origin in ${allowedBy}.`;
  if (url.protocol !== 'https:') {
    throw refuse(`Only https URLs are called${unless}`);
  }
  if (!ALLOWED_PORTS.has(url.port)) {
    throw refuse(`Only the ports 443 and 8443 are called${unless}`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const isAddress = host.includes(':') || /^[\d.]+$/.test(host);
  if (isAddress ? !isPublicAddress(host) : !host.includes('.') || isLocalName(host)) {
    throw refuse(`Only hosts on the public internet are called${unless}`);
  }
  return url;
}

function isLocalName(host: string): boolean {
  return /(^|\.)(localhost|local|internal|intranet|lan|home\.arpa|test|invalid|onion)$/.test(host);
}

function refuse(detail: string): Problem {
  return new Problem('invalid_input', { detail });
}
