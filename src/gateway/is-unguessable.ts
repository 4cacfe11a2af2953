const MAX_CHARACTERS = 255;
/** UUIDs of the versions that hold random bits. */
const RANDOM_UUID = /[0-9a-f]{8}-?[0-9a-f]{4}-?[47][0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}/i;
const LONG_HEX = /[0-9a-f]{32}/i;
const TOKEN = /[A-Za-z0-9]{20,}/g;

/**
 * Whether a text that a buyer chose looks like one that a random generator made: a UUID of version 4 or 7, 32 hexadecimal
 * digits, or 20 letters and digits in one piece with capital and small letters and digits among them. Dates, counters and
 * names do not. A digest of the body is known to whoever knows the body.
 */
export function isUnguessable(text: string, bodyDigest: string): boolean {
  if (text.length > MAX_CHARACTERS || text.toLowerCase().includes(bodyDigest)) {
    return false;
  }
  return RANDOM_UUID.test(text) || LONG_HEX.test(text) || (text.match(TOKEN) ?? []).some(isMixed);
}

function isMixed(token: string): boolean {
  return /[A-Z]/.test(token) && /[a-z]/.test(token) && /\d/.test(token);
}
