import { z } from 'zod';
import { safeParse, Problem } from '#kit/index.ts';
import { getJson, type JsonGet } from './get-json.ts';

const MAX_BYTES = 4_000_000;
/** Somebody may be waiting for it to publish. */
const TIMEOUT_MS = 5_000;

const answer = z.object({ data: z.object({ endpoints: z.array(z.unknown()) }) });

/** The providers of one model, as `GET /models/{author}/{slug}/endpoints` lists them; null where it knows no such model. */
export async function listEndpoints(source: JsonGet, model: string): Promise<unknown[] | null> {
  const path = `${source.basePath}/models/${model.split('/').map(encodeURIComponent).join('/')}/endpoints`;
  const got = await getJson(source, { path, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES }).catch(() => {
    throw new Problem('upstream_failed', { detail: 'OpenRouter cannot be reached.' });
  });
  if (got.status === 404) {
    return null;
  }
  const parsed = safeParse(answer, got.body);
  if (got.status !== 200 || !parsed.success) {
    throw new Problem('upstream_failed', { detail: `OpenRouter told no providers: status ${got.status}.` });
  }
  return parsed.data.data.endpoints;
}
