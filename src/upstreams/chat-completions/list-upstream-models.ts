import { safeParse } from '#kit/index.ts';
import { z } from 'zod';
import type { Dispatcher } from 'undici';
import { labelQuoter } from './quote-upstream.ts';
import { readText } from '../read-body.ts';

/** Ids of models; or the status with which nothing useful came, null where nobody answered. */
export type UpstreamModels = { ok: true; ids: string[] } | { ok: false; status: number | null };

const MAX_BYTES = 2_000_000;
const MAX_MODELS = 500;
const TIMEOUT_MS = 10_000;
const list = z.object({
  data: z.array(
    z
      .object({ id: z.string().min(1).max(200) })
      .nullable()
      .catch(null),
  ),
});

interface Asked {
  dispatcher: Dispatcher;
  origin: string;
  path: string;
  apiKey: string;
}

/** `GET {baseUrl}/models`, which costs nothing. Never throws for what the upstream does. */
export async function listUpstreamModels({ dispatcher, origin, path, apiKey }: Asked): Promise<UpstreamModels> {
  try {
    const response = await dispatcher.request({
      origin,
      path,
      method: 'GET',
      headers: { accept: 'application/json', ...(apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` }) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await readText(response.body, MAX_BYTES);
    const parsed = safeParse(list, response.statusCode === 200 ? JSON.parse(text) : null);
    if (!parsed.success) {
      return { ok: false, status: response.statusCode };
    }
    const quote = labelQuoter([apiKey]);
    const ids = parsed.data.data.map((model) => quote(model?.id ?? null)).filter((id) => id !== null);
    return { ok: true, ids: ids.slice(0, MAX_MODELS) };
  } catch {
    return { ok: false, status: null };
  }
}
