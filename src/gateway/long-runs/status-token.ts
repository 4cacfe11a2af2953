import { newSecret } from '#payments/index.ts';
import { toDigest } from '../buyer-proof.ts';

/** So that whoever finds one knows what it is. */
const PREFIX = 'fbs_';

export function newStatusToken(): { token: string; digest: string } {
  const token = `${PREFIX}${newSecret()}`;
  return { token, digest: digestOf(token) };
}

/** What is stored and compared: digests of secrets that nobody can guess tell nothing by the time that comparing takes. */
export function digestOf(token: string): string {
  return toDigest('status-token', token);
}
