import type { Dispatcher, Pool } from 'undici';
import type { Log } from '#kit/index.ts';
import type { Outbound } from '../outbound/open-outbound.ts';
import type { Timers } from '../timers.ts';
import { toLabel } from '../chat-completions/collect-answer.ts';
import type { ChatCall, ChatFailure } from '../chat-completions/chat.ts';
import { decideRetry } from '../chat-completions/decide-retry.ts';
import { parseFailure, plainFailure } from '../chat-completions/parse-failure.ts';
import { labelQuoter } from '../chat-completions/quote-upstream.ts';
import { readErrorBody } from '../chat-completions/read-error.ts';
import { readText, TooLargeError } from '../read-body.ts';
import { watchAttempt, type Watch } from '../chat-completions/watch-attempt.ts';
import { wait } from '../wait.ts';
import { noFacts, type MediaFacts, type MediaResult } from './media.ts';

const MAX_ERROR_BYTES = 64_000;

/** Where requests for media go. */
export interface MediaHttp {
  pool: Pool;
  origin: string;
  basePath: string;
  headers: Record<string, string>;
  timers: Timers;
  log: Log;
  /** How addresses inside of answers are called; null: they are not. */
  outbound: Pick<Outbound, 'open'> | null;
}

export interface MediaAsk<T> {
  method: 'GET' | 'POST';
  /** Below the base URL. */
  path: string;
  body?: unknown;
  /** What must not be quoted back beside the key: prompts and inputs. */
  secrets: readonly string[];
  /** Reads the body of an answer with a status of success; null where it is not what was asked for. */
  read(response: Dispatcher.ResponseData, watch: Watch): Promise<Read<T> | null>;
  /** The body is still to be read when this resolves: the reader ends the watch. */
  isStreamed?: boolean;
}

/** `failure`: an error inside of a success. */
export type Read<T> = { facts?: Partial<MediaFacts> } & ({ output: T } | { failure: ChatFailure });

/** Statuses that say that nothing was begun, or that nothing is charged. */
const RETRYABLE: ReadonlySet<number | null> = new Set([429, 502, 503, 529]);

/**
 * Asks once, and a second time only where a status of the upstream says that it did not begin: work that may have been done,
 * and billed, is not ordered again. It may take until the deadline.
 */
export async function askMedia<T>(http: MediaHttp, ask: MediaAsk<T>, call: ChatCall): Promise<MediaResult<T>> {
  for (let attempts = 1; ; attempts += 1) {
    const result = await attempt(http, ask, call);
    const delayMs = result.ok ? null : toDelay(http, { failure: result.failure, attempts, call });
    if (delayMs === null || !(await wait(http.timers, delayMs, call.signal))) {
      return { ...result, attempts };
    }
  }
}

function toDelay(http: MediaHttp, tried: { failure: ChatFailure; attempts: number; call: ChatCall }): number | null {
  const { failure, attempts, call } = tried;
  const leftMs = call.deadlineMs - http.timers.now();
  const delayMs =
    failure.kind === 'http_error' && RETRYABLE.has(failure.status)
      ? decideRetry({ failure, attempts, hasEvents: false, hasOutput: false, leftMs })
      : null;
  const { kind, status, errorType } = failure;
  const told = { upstream: 'openrouter', attempt: attempts, failure: kind, status, errorType, retryInMs: delayMs };
  http.log.warn(told, 'an upstream attempt failed');
  return delayMs;
}

async function attempt<T>(http: MediaHttp, ask: MediaAsk<T>, call: ChatCall): Promise<MediaResult<T>> {
  const watch = watchAttempt(http.timers, call, Math.max(1, call.deadlineMs - http.timers.now()));
  let facts = noFacts;
  let isOpen = false;
  try {
    watch.signal.throwIfAborted();
    const response = await http.pool.request({
      path: `${http.basePath}${ask.path}`,
      method: ask.method,
      headers: {
        ...http.headers,
        authorization: `Bearer ${call.apiKey}`,
        ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(ask.body === undefined ? {} : { body: JSON.stringify(ask.body) }),
      signal: watch.signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    facts = readFacts(response, [call.apiKey, ...ask.secrets]);
    if (response.statusCode < 200 || response.statusCode > 399) {
      return { ...facts, ok: false, failure: await readFailure({ http, ask, call }, response) };
    }
    const read = await ask.read(response, watch);
    if (read === null || 'failure' in read) {
      return { ...facts, ...read?.facts, ok: false, failure: read?.failure ?? plainFailure('malformed') };
    }
    isOpen = ask.isStreamed === true;
    return hideEchoes({ ...facts, ...read.facts, ok: true, output: read.output }, [call.apiKey, ...ask.secrets]);
  } catch (error) {
    const kind = watch.reason() ?? (error instanceof TooLargeError ? 'too_large' : 'connection');
    return { ...facts, ok: false, failure: plainFailure(kind) };
  } finally {
    if (!isOpen) {
      watch.stop();
    }
  }
}

function readFacts(response: Dispatcher.ResponseData, secrets: readonly string[]): MediaFacts {
  const quote = labelQuoter(secrets);
  return {
    ...noFacts,
    provider: quote(toLabel(header(response, 'x-provider-name'))),
    generationId: quote(toLabel(header(response, 'x-generation-id'))),
    isSimulated: header(response, 'x-farebox-simulated') === 'true',
  };
}

/** Names that an upstream chose are logged and shown to the creator: they must not carry the prompt or the key there. */
function hideEchoes<T>(result: MediaResult<T>, secrets: readonly string[]): MediaResult<T> {
  const quote = labelQuoter(secrets);
  return {
    ...result,
    model: quote(result.model),
    provider: quote(result.provider),
    generationId: quote(result.generationId),
  };
}

async function readFailure(
  { http, ask, call }: { http: MediaHttp; ask: Pick<MediaAsk<unknown>, 'secrets'>; call: ChatCall },
  response: Dispatcher.ResponseData,
): Promise<ChatFailure> {
  const text = await readText(response.body, MAX_ERROR_BYTES).catch(() => '');
  return parseFailure({
    kind: 'http_error',
    status: response.statusCode,
    error: readErrorBody(text),
    retryAfterHeader: header(response, 'retry-after'),
    secrets: [call.apiKey, ...ask.secrets],
    nowMs: http.timers.now(),
  });
}

export function header(response: Dispatcher.ResponseData, name: string): string | null {
  const value = response.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
