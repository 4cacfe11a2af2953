import { z } from 'zod';
import type { ChatCall } from '../chat-completions/chat.ts';
import { toTrueCost } from '../chat-completions/true-cost.ts';
import type { MediaHttp } from './ask-media.ts';
import { getJson } from './get-json.ts';
import { wait } from '../wait.ts';

/** A generation can be asked for a moment after its answer. The buyer waits for this, so it is given up soon. */
const DELAYS_MS = [300, 600, 1_200];
const TIMEOUT_MS = 2_000;

const EXACT_KEYS = ['total_cost', 'upstream_inference_cost'];

const amount = z.string().nullish().catch(null);
const form = z.object({
  data: z.object({
    total_cost: amount,
    is_byok: z.boolean().nullish().catch(null),
    upstream_inference_cost: amount,
  }),
});

/** `GET /generation`: the exact cost; null where it is not told within a few seconds. Never throws. */
export async function findCost(http: MediaHttp, generationId: string, call: ChatCall): Promise<string | null> {
  const path = `${http.basePath}/generation?id=${encodeURIComponent(generationId)}`;
  for (const delayMs of DELAYS_MS) {
    const isLate = call.deadlineMs - http.timers.now() < delayMs + TIMEOUT_MS;
    if (isLate || !(await wait(http.timers, delayMs, call.signal))) {
      return null;
    }
    const request = { path, apiKey: call.apiKey, timeoutMs: TIMEOUT_MS, maxBytes: 200_000, exactKeys: EXACT_KEYS };
    const got = await getJson(http, request).catch(() => null);
    const told = form.safeParse(got?.body).data?.data;
    const cost = toTrueCost({
      cost: told?.total_cost,
      isByok: told?.is_byok,
      upstreamCost: told?.upstream_inference_cost,
    });
    if (got?.status === 200 && cost !== null) {
      return cost;
    }
    if (got !== null && got.status !== 404 && got.status < 500) {
      return null;
    }
  }
  return null;
}
