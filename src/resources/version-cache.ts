import type { PublishedVersion } from './resource-kind.ts';

type Found = PublishedVersion | null;

interface Bounds {
  maxEntries?: number;
  /** Roughly the characters of all the versions held: prompts may be long. */
  maxWeight?: number;
}

interface CacheOptions extends Bounds {
  load(key: string): Promise<Found>;
  now(): number;
}

export interface VersionCache {
  find(key: string): Found | Promise<Found>;
  /** Forgets one resource, or all of them; what is being read meanwhile is read again. */
  drop(resourceId?: string): void;
}

const MISS_MS = 5_000;
const MAX_RELOADS = 3;
const MAX_ENTRIES = 5_000;
const MAX_WEIGHT = 32_000_000;

/** Keeps what was found until dropped or pushed out (oldest first), and what was not found for a few seconds. */
export function openVersionCache(options: CacheOptions): VersionCache {
  const held = openShelf(options);
  const misses = new Map<string, number>();
  const loading = new Map<string, Promise<Found>>();
  let generation = 0;

  const keep = (key: string, version: Found): void => {
    if (version !== null) {
      held.put(key, version);
      return;
    }
    misses.delete(key);
    misses.set(key, options.now() + MISS_MS);
    if (misses.size > (options.maxEntries ?? MAX_ENTRIES)) {
      misses.delete(oldest(misses));
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
    find: (key) => held.get(key) ?? ((misses.get(key) ?? 0) > options.now() ? null : loadOnce(key)),
    drop: (resourceId) => {
      generation += 1;
      misses.clear();
      loading.clear();
      held.drop(resourceId);
    },
  };
}

interface Shelf {
  get(key: string): PublishedVersion | undefined;
  put(key: string, version: PublishedVersion): void;
  drop(resourceId?: string): void;
}

/** Bounded by number and by size; what was put first goes first. */
function openShelf({ maxEntries = MAX_ENTRIES, maxWeight = MAX_WEIGHT }: Bounds): Shelf {
  const entries = new Map<string, { version: PublishedVersion; weight: number }>();
  let totalWeight = 0;

  const remove = (key: string): void => {
    totalWeight -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };
  const isFull = (): boolean => entries.size > maxEntries || (totalWeight > maxWeight && entries.size > 1);

  return {
    get: (key) => entries.get(key)?.version,
    put: (key, version) => {
      const weight = JSON.stringify([version.config, version.inputSchema, version.parameters]).length;
      remove(key);
      entries.set(key, { version: Object.freeze(version), weight });
      totalWeight += weight;
      while (isFull()) {
        remove(oldest(entries));
      }
    },
    drop: (resourceId) => {
      for (const [key, { version }] of entries) {
        if (resourceId === undefined || version.resourceId === resourceId) {
          remove(key);
        }
      }
    },
  };
}

function oldest(map: ReadonlyMap<string, unknown>): string {
  return map.keys().next().value ?? '';
}
