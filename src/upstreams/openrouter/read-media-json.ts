import { safeParse } from '#kit/index.ts';
import type { Dispatcher } from 'undici';
import { z } from 'zod';
import { toLabel } from '../chat-completions/collect-answer.ts';
import { parseFailure } from '../chat-completions/parse-failure.ts';
import { parseJsonExact } from '../chat-completions/parse-json.ts';
import { findError } from '../chat-completions/read-error.ts';
import { costKeys, toUsageCost, usageCost } from '../chat-completions/true-cost.ts';
import { readText } from '../read-body.ts';
import type { Read } from './ask-media.ts';

const count = z.number().int().nonnegative().nullish().catch(null);
const text = z.string().nullish().catch(null);

/** What all JSON answers of these routes may hold beside their content. Lenient: a field of another type counts as absent. */
const common = z.object({
  id: text,
  model: text,
  provider: text,
  usage: z
    .object({
      prompt_tokens: count,
      input_tokens: count,
      completion_tokens: count,
      output_tokens: count,
      total_tokens: count,
      ...usageCost,
    })
    .nullish()
    .catch(null),
});

export interface JsonForm<T> {
  maxBytes: number;
  /** Never quoted in a failure: the key first. */
  secrets: readonly string[];
  /** Null where the answer is not of this form. */
  pick(body: unknown): T | null | Promise<T | null>;
  /** An answer that tells of a job tells its error too: that is no error of the answer. */
  isJob?: boolean;
  /** Of a form that is more than JSON; undefined where it is not of it. */
  parse?(text: string): unknown;
}

/** Reads a JSON answer with its usage. An error inside of a success is a failure; what is no JSON is null. */
export async function readMediaJson<T>(
  response: Dispatcher.ResponseData,
  { maxBytes, secrets, pick, isJob = false, parse = parseJson }: JsonForm<T>,
): Promise<Read<T> | null> {
  const body = parse(await readText(response.body, maxBytes));
  const error = findError(body);
  if (error && !(isJob && safeParse(common, body).data?.id)) {
    const told = { kind: 'error_event', status: null, error, retryAfterHeader: null, secrets, nowMs: 0 } as const;
    return { failure: parseFailure(told) };
  }
  const said = safeParse(common, body).data;
  const output = said ? await pick(body) : null;
  if (!said || output === null) {
    return null;
  }
  const { usage } = said;
  const generationId = toLabel(said.id);
  const facts = {
    model: toLabel(said.model),
    ...(said.provider ? { provider: toLabel(said.provider) } : {}),
    ...(generationId === null ? {} : { generationId }),
    inputTokens: usage?.prompt_tokens ?? usage?.input_tokens ?? null,
    outputTokens: usage?.completion_tokens ?? usage?.output_tokens ?? null,
    costUsd: toUsageCost(usage),
  };
  return { output, facts };
}

function parseJson(json: string): unknown {
  try {
    return parseJsonExact(json, costKeys);
  } catch {
    return undefined;
  }
}
