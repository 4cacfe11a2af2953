import type { PublishedVersion } from './resource-kind.ts';

type Found = PublishedVersion | null;

interface CacheOptions {
  load(key: string): Promise<Found>;
  now(): number;
  maxEntries?: number;
  /** Roughly the characters of all the versions held: prompts may be long. */
  maxWeight?: number;
}

export interface VersionCache {
  find(key: string): Found | Promise<Found>;
  /** Forgets one resource, or all of them; what is being read meanwhile is read again. */
  drop(resourceId?: string): void;
}

const MISS_MS = 5_000;
const MAX_RELOADS = 3;

/** Keeps what was found until dropped or pushed out (oldest first), and what was not found for a few seconds. */
export function openVersionCache(options: CacheOptions): VersionCache {
  const { maxEntries = 5_000, maxWeight = 32_000_000 } = options;
  const entries = new Map<string, { version: PublishedVersion; weight: number }>();
  const misses = new Map<string, number>();
  const loading = new Map<string, Promise<Found>>();
  let totalWeight = 0;
  let generation = 0;

  const forget = (key: string): void => {
    totalWeight -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };

  const keep = (key: string, version: Found): void => {
    if (version === null) {
      misses.set(key, options.now() + MISS_MS);
      dropOldest(misses, maxEntries);
      return;
    }
    const weight = JSON.stringify([version.config, version.inputSchema, version.parameters]).length;
    forget(key);
    entries.set(key, { version: Object.freeze(version), weight });
    totalWeight += weight;
    while (entries.size > maxEntries || (totalWeight > maxWeight && entries.size > 1)) {
      forget(oldest(entries));
    }
  };

  const load = async (key: string): Promise<Found> => {
    for (let attempt = 1; ; attempt += 1) {
      const startedIn = generation;
      const version = await options.load(key);
      // Something changed while we read: what we hold may be from before.
      if (generation === startedIn) {
        keep(key, version);
        return version;
      }
      if (attempt === MAX_RELOADS) {
        return version;
      }
    }
  };

  const loadOnce = (key: string): Promise<Found> => {
    const running = loading.get(key);
    if (running) {
      return running;
    }
    const started = load(key).finally(() => {
      if (loading.get(key) === started) {
        loading.delete(key);
      }
    });
    loading.set(key, started);
    return started;
  };

  return {
    find: (key) => {
      const known = entries.get(key);
      if (known) {
        return known.version;
      }
      return (misses.get(key) ?? 0) > options.now() ? null : loadOnce(key);
    },
    drop: (resourceId) => {
      generation += 1;
      misses.clear();
      loading.clear();
      for (const [key, { version }] of entries) {
        if (resourceId === undefined || version.resourceId === resourceId) {
          forget(key);
        }
      }
    },
  };
}

function dropOldest(map: Map<string, unknown>, maxEntries: number): void {
  while (map.size > maxEntries) {
    map.delete(oldest(map));
  }
}

function oldest(map: Map<string, unknown>): string {
  return map.keys().next().value ?? '';
}
