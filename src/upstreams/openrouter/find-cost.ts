import type { ChatCall } from '../chat-completions/chat.ts';
import type { MediaHttp } from './ask-media.ts';
import { getGenerationCost } from './get-generation-cost.ts';
import { wait } from '../wait.ts';

/** A generation can be asked for a moment after its answer. The buyer waits for this, so it is given up soon. */
const DELAYS_MS = [300, 600, 1_200];
const TIMEOUT_MS = 2_000;

/** `GET /generation`: the exact cost; null where it is not told within a few seconds. Never throws. */
export async function findCost(http: MediaHttp, generationId: string, call: ChatCall): Promise<string | null> {
  for (const delayMs of DELAYS_MS) {
    const isLate = call.deadlineMs - http.timers.now() < delayMs + TIMEOUT_MS;
    if (isLate || !(await wait(http.timers, delayMs, call.signal))) {
      return null;
    }
    const { apiKey } = call;
    const found = await getGenerationCost(http, { generationId, apiKey, timeoutMs: TIMEOUT_MS });
    if (found.ok) {
      return found.costUsd;
    }
    if (found.reason === 'untold') {
      return null;
    }
  }
  return null;
}
