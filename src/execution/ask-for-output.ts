import { Big } from 'big.js';
import type { Clock } from '#kit/index.ts';
import type { ChatMessage, ChatRequest, ChatResult, ChatUsage, Upstream } from '#upstreams/index.ts';
import type { OutputContract, ReadOutput } from './output-contract.ts';

/** A second turn is not begun with less time than this, in milliseconds, beside what the first one took. */
const SPARE_MS = 500;

export interface AskedOutput {
  /** Of both turns together, where there were two. */
  result: ChatResult;
  /** Null where no output is promised, or nothing was answered. */
  output: ReadOutput | null;
  isRepaired: boolean;
}

/**
 * Asks for an answer and, where a JSON output is promised and the text does not hold it, once more with what is wrong with
 * it. What was cut by its token limit is not asked for again: it would be cut again.
 */
export async function askForOutput(
  { upstream, clock }: { upstream: Upstream; clock: Clock },
  asked: { request: ChatRequest; contract: OutputContract | null },
  call: Parameters<Upstream['chat']>[1],
): Promise<AskedOutput> {
  const { request, contract } = asked;
  const first = await upstream.chat(request, call);
  if (contract === null || !first.ok) {
    return { result: first, output: null, isRepaired: false };
  }
  const read = contract.read(first.text);
  if (read.ok || !mayAskAgain(first, call, clock.now())) {
    return { result: first, output: read, isRepaired: false };
  }
  const messages = [...request.messages, ...toRepair(first.text, read.faults)];
  const second = await upstream.chat({ ...request, messages }, call);
  const output = second.ok ? contract.read(second.text) : null;
  return { result: join(first, second), output, isRepaired: true };
}

function mayAskAgain(
  { finishReason, latencyMs }: ChatResult,
  { signal, deadlineMs }: Parameters<Upstream['chat']>[1],
  nowMs: number,
): boolean {
  const isCut = finishReason === 'length' || finishReason === 'content_filter';
  return !isCut && !signal.aborted && deadlineMs - nowMs > latencyMs + SPARE_MS;
}

function toRepair(text: string, faults: readonly string[]): ChatMessage[] {
  return [
    { role: 'assistant', content: text },
    {
      role: 'user',
      content: `That answer does not fit the schema:\n${faults.map((fault) => `- ${fault}`).join('\n')}\nAnswer again with the whole corrected JSON object and nothing else.`,
    },
  ];
}

/**
 * The second turn's answer, or why it has none, with what both of them took. A second turn that was refused has cost nothing;
 * its refusal may be one that stops sales, as that of a key.
 */
function join(first: ChatResult & { ok: true }, second: ChatResult): ChatResult {
  const isRefused = !second.ok && second.failure.kind === 'http_error';
  return {
    ...second,
    model: second.model ?? first.model,
    provider: second.provider ?? first.provider,
    generationId: second.generationId ?? first.generationId,
    isSimulated: first.isSimulated || second.isSimulated,
    usage: isRefused ? first.usage : addUsage(first.usage, second.usage),
    adjustments: [...new Set([...first.adjustments, ...second.adjustments])],
    firstTokenMs: first.firstTokenMs,
    latencyMs: first.latencyMs + second.latencyMs,
    attempts: first.attempts + second.attempts,
  };
}

function addUsage(one: ChatUsage | null, other: ChatUsage | null): ChatUsage {
  const add = (a: number | null | undefined, b: number | null | undefined): number | null =>
    typeof a === 'number' && typeof b === 'number' ? a + b : null;
  return {
    inputTokens: add(one?.inputTokens, other?.inputTokens),
    outputTokens: add(one?.outputTokens, other?.outputTokens),
    reasoningTokens: add(one?.reasoningTokens, other?.reasoningTokens),
    costUsd: addCosts(one?.costUsd, other?.costUsd),
  };
}

/** Exact; null where one of them is not known. */
function addCosts(one: string | null | undefined, other: string | null | undefined): string | null {
  return typeof one === 'string' && typeof other === 'string' ? new Big(one).plus(other).toFixed() : null;
}
