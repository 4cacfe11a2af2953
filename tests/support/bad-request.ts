import type { RawRequest } from './send-raw.ts';

/** One request that must be refused, and how. */
export interface Bad {
  why: string;
  /** Text is sent byte for byte. */
  send: RawRequest | string;
  status: number;
  /** Left out where the answer is no problem: a 402, or HTTP that no route saw. */
  code?: string;
  /** What the detail, the next step or the listed fields must say. */
  says: RegExp;
}

export const json = { 'Content-Type': 'application/json' };
export const invalid = { status: 400, code: 'invalid_input' } as const;
export const missing = { status: 404, code: 'not_found' } as const;
export const unauthenticated = { status: 401, code: 'unauthenticated' } as const;
export const forbidden = { status: 403, code: 'forbidden' } as const;
export const wrongType = { status: 415, code: 'unsupported_media_type' } as const;
