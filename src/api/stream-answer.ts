import type { ServerResponse } from 'node:http';
import type { CallOutcome, PlacedPart } from '#gateway/index.ts';
import { openEventStream, type EventStream } from './event-stream.ts';

export type Answered = CallOutcome & { kind: 'answer' };

export interface Written {
  res: ServerResponse;
  requestId: string;
  headers: Readonly<Record<string, string>>;
  /** The whole answer has left. */
  onSent(): void;
  /** It broke off, and not because the client has gone. */
  onFault(error: unknown): void;
}

/**
 * Gives an answer as server-sent events, as fast as the client reads; one who has gone is not waited for. Where `send` tells
 * `false` or throws it broke off: the client finds no end, and takes it up again with the same payment.
 */
export async function streamAnswer(
  { answer }: Answered,
  { res, headers, onFault }: Pick<Written, 'res' | 'headers' | 'onFault'>,
  send: (stream: EventStream, parts: AsyncIterable<PlacedPart>) => Promise<boolean>,
): Promise<void> {
  const parts = answer.body.type === 'live' ? answer.body.parts : toNothing();
  // What was not begun to be read has to be let go by somebody.
  const letGo = async (): Promise<void> => void (await parts[Symbol.asyncIterator]().return?.());
  if (res.closed) {
    await letGo();
    return;
  }
  const stream = openEventStream(res, { status: answer.status, headers });
  const isWhole = await send(stream, parts).catch((error: unknown) => {
    if (!stream.gone.aborted) {
      onFault(error);
    }
    return false;
  });
  if (isWhole) {
    stream.end();
  } else {
    res.destroy();
    await letGo();
  }
}

async function* toNothing(): AsyncGenerator<PlacedPart> {}
