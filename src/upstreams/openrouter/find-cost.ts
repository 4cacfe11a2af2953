import { z } from 'zod';
import type { ChatCall } from '../chat-completions/chat.ts';
import { toDecimalText } from '../chat-completions/parse-json.ts';
import type { MediaHttp } from './ask-media.ts';
import { getJson } from './get-json.ts';
import { wait } from '../wait.ts';

/** A generation can be asked for a moment after its answer. The buyer waits for this, so it is given up soon. */
const DELAYS_MS = [300, 600, 1_200];
const TIMEOUT_MS = 2_000;

const form = z.object({ data: z.object({ total_cost: z.string().nullish().catch(null) }) });

/** `GET /generation`: the exact cost; null where it is not told within a few seconds. Never throws. */
export async function findCost(http: MediaHttp, generationId: string, call: ChatCall): Promise<string | null> {
  const path = `${http.basePath}/generation?id=${encodeURIComponent(generationId)}`;
  for (const delayMs of DELAYS_MS) {
    const isLate = call.deadlineMs - http.timers.now() < delayMs + TIMEOUT_MS;
    if (isLate || !(await wait(http.timers, delayMs, call.signal))) {
      return null;
    }
    const request = { path, apiKey: call.apiKey, timeoutMs: TIMEOUT_MS, maxBytes: 200_000, exactKeys: ['total_cost'] };
    const got = await getJson(http, request).catch(() => null);
    const cost = toDecimalText(form.safeParse(got?.body).data?.data.total_cost);
    if (got?.status === 200 && cost !== null) {
      return cost;
    }
    if (got !== null && got.status !== 404 && got.status < 500) {
      return null;
    }
  }
  return null;
}
