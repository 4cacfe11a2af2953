import { createHash } from 'node:crypto';

/** A stream of numbers that depends on nothing but its parts: the same parts, the same numbers, on every machine. */
export interface SeededRandom {
  /** Integer between min and max, both included. */
  integer(min: number, max: number): number;
  pick<T>(list: readonly [T, ...T[]]): T;
  base62(length: number): string;
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export function openRandom(...parts: string[]): SeededRandom {
  let state = createHash('sha256').update(parts.join('\u0000')).digest().readUInt32LE(0);
  // mulberry32: 32 bits of state are plenty for choosing words and colours.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    integer,
    pick: <T>(list: readonly [T, ...T[]]): T => list[integer(0, list.length - 1)] ?? list[0],
    base62: (length) => Array.from({ length }, () => BASE62[integer(0, 61)]).join(''),
  };
}
