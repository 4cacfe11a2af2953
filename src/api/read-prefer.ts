import type { IncomingMessage } from 'node:http';
import { readHeader } from './call-exchange.ts';

const LONGEST_WAIT_SECONDS = 60;
/** One preference (RFC 7240): its name and value; what follows behind a semicolon are parameters that ours do not have. */
const preference = /^\s*([a-z-]+)\s*(?:=\s*"?(\d+)"?\s*)?(?:;.*)?$/i;

/** `Prefer: respond-async, wait=10`. Of a preference that is named twice the first counts; what is not known is ignored. */
export function readPrefer(req: IncomingMessage): { isAsked: boolean; waitMs: number } {
  const named = new Map<string, string>();
  for (const text of (readHeader(req, 'prefer') ?? '').split(',')) {
    const [, name, value = ''] = preference.exec(text) ?? [];
    if (name !== undefined && !named.has(name.toLowerCase())) {
      named.set(name.toLowerCase(), value);
    }
  }
  const seconds = Math.min(Number(named.get('wait') ?? 0), LONGEST_WAIT_SECONDS);
  return { isAsked: named.has('respond-async'), waitMs: seconds * 1000 };
}
