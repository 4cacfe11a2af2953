import type { Refusal } from './refusal.ts';
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
      cut: boolean;
    }
  | { kind: 'bytes'; contentType: string; bytes: Buffer; headers: Record<string, string> }
  | { kind: 'stream'; frames: Frame[]; headers: Record<string, string>; settle(sent: Sent): void }
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
  cut?: boolean;
}

export function replyText(text: string, options: TextOptions = {}): Reply {
  const { status = 200, contentType = 'application/json', headers = {}, delayMs = 0, cut = false } = options;
  return { kind: 'text', status, contentType, text, headers, delayMs, cut };
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
