import { Problem } from '#kit/index.ts';
import { keySnapshot, type IntegrationDeps } from './openrouter-integration.ts';
import type { z } from 'zod';

type Checked =
  | { verdict: 'good'; snapshot: z.output<typeof keySnapshot> }
  /** The key will not work as it is; `unclear` says nothing about the key. */
  | { verdict: 'refused' | 'unclear'; detail: string };

const UNCLEAR = new Set(['unreachable', 'rate_limited']);
const MAX_DETAIL = 300;

/** Asks OpenRouter about a key. Whatever comes back is cut to size and never repeats the key. */
export async function checkKey(deps: IntegrationDeps, apiKey: string): Promise<Checked> {
  const check = await deps.checkKey(apiKey);
  if (!check.ok) {
    const detail = check.detail.replaceAll(apiKey, '…').slice(0, MAX_DETAIL);
    return { verdict: UNCLEAR.has(check.reason) ? 'unclear' : 'refused', detail };
  }
  const parsed = keySnapshot.safeParse(check.snapshot);
  if (!parsed.success) {
    return { verdict: 'unclear', detail: 'OpenRouter answered in a form that is not understood.' };
  }
  const repeats = JSON.stringify(parsed.data).includes(apiKey);
  return { verdict: 'good', snapshot: repeats ? keySnapshot.parse({}) : parsed.data };
}

/** Throws `unprocessable` for a bad key, `unavailable` when OpenRouter could not be asked. */
export async function getSnapshot(deps: IntegrationDeps, apiKey: string): Promise<z.output<typeof keySnapshot>> {
  const checked = await checkKey(deps, apiKey);
  if (checked.verdict === 'good') {
    return checked.snapshot;
  }
  throw checked.verdict === 'refused'
    ? new Problem('unprocessable', { detail: checked.detail, next: 'Correct the key; nothing was changed.' })
    : new Problem('unavailable', { detail: checked.detail, next: 'Try again in a minute; nothing was changed.' });
}
