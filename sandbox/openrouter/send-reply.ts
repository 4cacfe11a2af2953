import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Reply, Sent } from './reply.ts';
import type { State } from './state.ts';
import { openRandom } from './seeded-random.ts';
import { COMMENT, joinFrames } from './wire.ts';
import type { Frame } from './wire.ts';

/** On every answer, so that nobody takes it for the real thing. */
const marks = {
  'x-farebox-simulated': 'true',
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'X-Generation-Id,X-Provider-Name,X-Farebox-Simulated',
};

type Pace = Pick<State, 'latency' | 'splitBytes' | 'seed'>;

export async function sendReply(response: ServerResponse, reply: Reply, pace: Pace): Promise<void> {
  switch (reply.kind) {
    case 'connection':
      if (reply.how === 'reset') {
        response.socket?.resetAndDestroy();
      }
      return;
    case 'text':
      return await sendText(response, reply);
    case 'bytes':
      response.writeHead(200, {
        ...marks,
        'content-type': reply.contentType,
        'content-length': reply.bytes.length,
        ...reply.headers,
      });
      response.end(reply.bytes);
      return;
    case 'stream':
      return await sendStream(response, reply, { ...pace, latency: reply.latency ?? pace.latency });
  }
}

async function sendText(response: ServerResponse, reply: Extract<Reply, { kind: 'text' }>): Promise<void> {
  const body = Buffer.from(reply.text);
  if (reply.delayMs > 0) {
    await wait(reply.delayMs, undefined, { signal: leaving(response) }).catch(() => {});
  }
  if (response.destroyed) {
    return;
  }
  response.writeHead(reply.status, {
    ...marks,
    'content-type': reply.contentType,
    'content-length': reply.cut ? body.length * 2 : body.length,
    ...reply.headers,
  });
  if (reply.cut) {
    response.write(body, () => response.destroy());
    return;
  }
  if (reply.pauseMs > 0) {
    const half = Math.floor(body.length / 2);
    response.write(body.subarray(0, half));
    await wait(reply.pauseMs, undefined, { signal: leaving(response) }).catch(() => {});
    response.end(body.subarray(half));
    return;
  }
  response.end(body);
}

async function sendStream(
  response: ServerResponse,
  reply: Extract<Reply, { kind: 'stream' }>,
  pace: Pace,
): Promise<void> {
  const gone = leaving(response);
  if (reply.delayMs > 0) {
    await wait(reply.delayMs, undefined, { signal: gone }).catch(() => {});
  }
  if (response.destroyed) {
    return reply.settle({ tokens: 0, isComplete: false });
  }
  response.writeHead(200, {
    ...marks,
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    connection: 'keep-alive',
    ...reply.headers,
  });
  const sent: Sent = { tokens: 0, isComplete: false };
  let isSettled = false;
  const settle = (): void => {
    if (!isSettled) {
      isSettled = true;
      reply.settle(sent);
    }
  };
  try {
    const frames = isInstant(pace, reply.frames) ? joinFrames(reply.frames) : reply.frames;
    for await (const frame of paced(frames, { pace, comment: reply.comment ?? COMMENT, gone })) {
      sent.tokens += frame.tokens;
      if (frame.isSettling) {
        sent.isComplete = true;
        settle();
      }
      if (frame.end !== undefined) {
        return endEarly(response, frame.end);
      }
      await write(response, frame.text, { splitBytes: pace.splitBytes, gone });
    }
    settle();
    response.end();
  } catch (error) {
    if (!gone.aborted) {
      throw error;
    }
  } finally {
    settle();
  }
}

function isInstant({ latency }: Pace, frames: readonly Frame[]): boolean {
  const { firstTokenMs, tokensPerSecond, jitterMs } = latency;
  const isUnpaced = firstTokenMs === 0 && tokensPerSecond === 0 && jitterMs === 0;
  return isUnpaced && !frames.some(({ pauseMs }) => pauseMs);
}

interface Course {
  pace: Pace;
  /** What keeps the connection alive. */
  comment: string;
  gone: AbortSignal;
}

/**
 * Sends frames at the configured speed: the first one at once, the first token after a while, then so many per second.
 * Whatever it waits for, comments keep the connection alive where that is configured.
 */
async function* paced(frames: readonly Frame[], { pace, comment, gone }: Course): AsyncGenerator<Frame> {
  const { latency, seed } = pace;
  const start = performance.now() + jitterOf(latency, seed, frames.length);
  const perToken = latency.tokensPerSecond > 0 ? 1_000 / latency.tokensPerSecond : 0;
  const commentEveryMs = latency.commentEveryMs > 0 ? latency.commentEveryMs : Infinity;
  let tokens = 0;
  for (const frame of frames) {
    tokens += frame.tokens;
    const due = frame.tokens > 0 ? start + latency.firstTokenMs + tokens * perToken : performance.now();
    const until = due + (frame.pauseMs ?? 0);
    while (until - performance.now() > commentEveryMs) {
      await wait(commentEveryMs, undefined, { signal: gone });
      yield { text: comment, tokens: 0 };
    }
    const restMs = until - performance.now();
    if (restMs > 1) {
      await wait(restMs, undefined, { signal: gone });
    }
    gone.throwIfAborted();
    yield frame;
  }
}

/** Up to `jitterMs`, the same for the same seed and length of answer. */
function jitterOf({ jitterMs }: State['latency'], seed: string, length: number): number {
  return jitterMs > 0 ? openRandom(seed, 'jitter', String(length)).integer(0, jitterMs) : 0;
}

function endEarly(response: ServerResponse, how: 'cut' | 'hang'): void {
  if (how === 'cut') {
    // Let what was written leave first, so that the client sees a stream that breaks off.
    response.write('', () => response.destroy());
  }
}

async function write(
  response: ServerResponse,
  text: string,
  { splitBytes, gone }: { splitBytes: number; gone: AbortSignal },
): Promise<void> {
  if (splitBytes <= 0) {
    if (!response.write(text)) {
      await drained(response, gone);
    }
    return;
  }
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += splitBytes) {
    await new Promise<void>((resolve) => {
      response.write(bytes.subarray(at, at + splitBytes), () => setImmediate(resolve));
    });
    gone.throwIfAborted();
  }
}

function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    response.once('drain', resolve);
    gone.addEventListener('abort', () => reject(gone.reason as Error), { once: true });
  });
}

/** Aborts when the client leaves before the answer is complete. */
function leaving(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) {
      controller.abort();
    }
  });
  return controller.signal;
}
