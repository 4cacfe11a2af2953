import { safeParse } from '#kit/index.ts';
import { Big } from 'big.js';
import { z } from 'zod';
import { toDecimalText } from '../chat-completions/parse-json.ts';
import { getJson, type JsonGet } from './get-json.ts';

export type Credits =
  /** USD as decimal text; below zero after an overdraft. */
  | { outcome: 'known'; balanceUsd: string }
  /** OpenRouter tells the balance to management keys only, so most keys learn nothing here; that is no fault of theirs. */
  | { outcome: 'not_told' }
  /** It could not say just now, which says nothing about the account. */
  | { outcome: 'unreachable' };

const AMOUNTS = ['total_credits', 'total_usage'];
const answer = z.object({ data: z.object({ total_credits: z.string(), total_usage: z.string() }) });

/** The balance of the account behind a key (`GET /credits`). Never throws. */
export async function getCredits(source: JsonGet, apiKey: string): Promise<Credits> {
  try {
    const path = `${source.basePath}/credits`;
    const got = await getJson(source, { path, apiKey, timeoutMs: 10_000, maxBytes: 64_000, exactKeys: AMOUNTS });
    const parsed = safeParse(answer, got.body);
    const bought = toDecimalText(parsed.data?.data.total_credits);
    const used = toDecimalText(parsed.data?.data.total_usage);
    if (got.status === 200 && bought !== null && used !== null) {
      return { outcome: 'known', balanceUsd: new Big(bought).minus(used).toFixed() };
    }
    return { outcome: got.status === 401 || got.status === 403 ? 'not_told' : 'unreachable' };
  } catch {
    return { outcome: 'unreachable' };
  }
}
