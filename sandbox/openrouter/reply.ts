import type { Refusal } from './refusal.ts';
import type { Latency } from './state.ts';
import type { Frame } from './wire.ts';

/** What a handler wants sent; `send-reply.ts` sends it. */
export type Reply =
  | {
      kind: 'text';
      status: number;
      contentType: string;
      text: string;
      headers: Record<string, string>;
      delayMs: number;
      /** Between the two halves of the body. */
      pauseMs: number;
      cut: boolean;
    }
  | { kind: 'bytes'; contentType: string; bytes: Buffer; headers: Record<string, string> }
  | {
      kind: 'stream';
      frames: Frame[];
      headers: Record<string, string>;
      /** Before the head. */
      delayMs: number;
      /** Instead of the latency of the whole simulator. */
      latency?: Latency;
      /** What comes while nothing else does; that of chats unless told. */
      comment?: string | undefined;
      settle(sent: Sent): void;
    }
  | { kind: 'connection'; how: 'reset' | 'hang' };

export interface Sent {
  tokens: number;
  isComplete: boolean;
}

export function replyJson(value: unknown, headers: Record<string, string> = {}): Reply {
  return replyText(JSON.stringify(value), { headers });
}

interface TextOptions {
  status?: number;
  contentType?: string;
  headers?: Record<string, string>;
  delayMs?: number;
  pauseMs?: number;
  cut?: boolean;
}

export function replyText(text: string, options: TextOptions = {}): Reply {
  const {
    status = 200,
    contentType = 'application/json',
    headers = {},
    delayMs = 0,
    pauseMs = 0,
    cut = false,
  } = options;
  return { kind: 'text', status, contentType, text, headers, delayMs, pauseMs, cut };
}

export function replyBytes(
  bytes: Buffer,
  { contentType, headers = {} }: { contentType: string; headers?: Record<string, string> },
): Reply {
  return { kind: 'bytes', contentType, bytes, headers };
}

export function replyRefusal(refusal: Refusal, userId?: string): Reply {
  const body = { error: refusal.error, ...(userId === undefined ? {} : { user_id: userId }) };
  return replyText(JSON.stringify(body), { status: refusal.status, headers: refusal.headers ?? {} });
}
