import { withMedia, type GivenAnswer } from '#gateway/index.ts';
import type { ServerEvent } from '../event-stream.ts';
import type { Asked, Contract } from './asked.ts';
import type { SaidAnswer } from './read-answer.ts';

/** What an answer says beside itself. */
export interface Reply {
  /** Of the call. */
  id: string;
  /** As the client named it, in its one spelling. */
  model: string;
  answer: Pick<GivenAnswer, 'receipt' | 'isTest' | 'isSimulated'>;
  ignored: readonly string[];
  /** Whether a stream tells it in a chunk of its own. */
  includesUsage: boolean;
}

/** One of OpenAI's two requests: how it is read, and how its answer is written. */
export interface Form {
  path: string;
  read(body: Readonly<Record<string, unknown>>, contract: Contract): Asked;
  toJson(reply: Reply, said: SaidAnswer): object;
  openStream(reply: Reply): StreamForm;
}

/** The events of one stream, in the order in which these are called. */
export interface StreamForm {
  begin(): ServerEvent[];
  text(delta: string): ServerEvent[];
  end(said: SaidAnswer): ServerEvent[];
  /** `error` as OpenAI's clients read it. */
  fail(error: object): ServerEvent[];
}

export function toSeconds({ answer }: Reply): number {
  return Math.floor(Date.parse(answer.receipt.at) / 1000);
}

/** Under one name of ours, so that it never meets one of OpenAI's. */
export function toFarebox({ answer, ignored }: Reply, { media, model, more }: SaidAnswer): object {
  return {
    receipt: withMedia(answer.receipt, media),
    ...(model === null ? {} : { model }),
    ...(answer.isTest ? { test: true } : {}),
    ...(answer.isSimulated ? { simulated: true } : {}),
    ...(ignored.length > 0 ? { ignored } : {}),
    ...(media.length > 0 ? { media } : {}),
    ...(Object.keys(more).length > 0 ? { answer: more } : {}),
  };
}
