import { safeParse } from '#kit/index.ts';
import { z } from 'zod';
import { readText } from '../read-body.ts';
import type { JsonGet } from './get-json.ts';

/** `refused`: the code is wrong, used or too old. `unreachable`: nothing is known of it. */
export type CodeExchange = { ok: true; apiKey: string } | { ok: false; reason: 'refused' | 'unreachable' };

const answer = z.object({ key: z.string().regex(/^[\x21-\x7e]{8,512}$/) });
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 64_000;

/** `POST /auth/keys` (RFC 7636): a code of the consent page for a key. A code works once, whatever comes of it. Never throws. */
export async function exchangeCode(
  source: JsonGet,
  { code, verifier }: { code: string; verifier: string },
): Promise<CodeExchange> {
  try {
    const response = await source.pool.request({
      path: `${source.basePath}/auth/keys`,
      method: 'POST',
      headers: { ...source.headers, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ code, code_verifier: verifier, code_challenge_method: 'S256' }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await readText(response.body, MAX_BYTES);
    if (response.statusCode === 400 || response.statusCode === 403) {
      return { ok: false, reason: 'refused' };
    }
    const parsed = safeParse(answer, response.statusCode === 200 ? JSON.parse(text) : null);
    return parsed.success ? { ok: true, apiKey: parsed.data.key } : { ok: false, reason: 'unreachable' };
  } catch {
    return { ok: false, reason: 'unreachable' };
  }
}
