import type { RateLimiter } from '#kit/index.ts';

type Taken = Awaited<ReturnType<RateLimiter['take']>>;

export interface Block extends Taken {
  /** When the units of this time end. */
  endsInMs: number;
}

interface Held {
  left: number;
  endsAt: number;
}

/** Keys that are held longer than their time; beyond so many they are looked through. */
const MANY = 1_000;

/** Hands out one unit at a time of blocks of `size`; those who wait for a key's next block share one. */
export function takeInBlocks(size: number, takeBlock: (key: string) => Promise<Block>): RateLimiter['take'] {
  const held = new Map<string, Held>();
  const coming = new Map<string, Promise<Taken>>();
  const bring = async (key: string): Promise<Taken> => {
    try {
      const { endsInMs, ...taken } = await takeBlock(key);
      if (taken.isAllowed) {
        forgetEnded(held);
        held.set(key, { left: size, endsAt: performance.now() + endsInMs });
      }
      return taken;
    } finally {
      coming.delete(key);
    }
  };
  const take = async (key: string): Promise<Taken> => {
    const own = held.get(key);
    if (own && own.left > 0 && performance.now() < own.endsAt) {
      own.left -= 1;
      return { isAllowed: true, retryAfterSeconds: 0 };
    }
    const next = coming.get(key) ?? bring(key);
    coming.set(key, next);
    const taken = await next;
    return taken.isAllowed ? take(key) : taken;
  };
  return size === 1 ? takeBlock : take;
}

function forgetEnded(held: Map<string, Held>): void {
  if (held.size < MANY) {
    return;
  }
  const now = performance.now();
  for (const [key, { endsAt }] of held) {
    if (endsAt <= now) {
      held.delete(key);
    }
  }
}
