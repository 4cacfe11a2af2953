import type { Database } from '#database/index.ts';
import { isSlug, isUsername, isUuid, type Clock } from '#kit/index.ts';
import { loadVersion } from './load-version.ts';
import type { PublishedVersion } from './resource-kind.ts';
import { openVersionCache } from './version-cache.ts';

type Found = PublishedVersion | null;

export interface Published {
  /**
   * What stands at `/@creator/slug`, or was published there under this number: archived, withdrawn and paused ones included.
   * A value when cached, else a promise.
   */
  find(creator: string, slug: string, version?: number): Found | Promise<Found>;
  findById(resourceId: string, version?: number): Found | Promise<Found>;
  /** Any version, replaced ones too: for calls that were paid under it. */
  findVersion(versionId: string): Found | Promise<Found>;
  /** For every notification on the channel `resources_changed`. */
  onResourcesChanged(resourceId: string): void;
  /** When notifications may have been missed (reconnected). */
  dropAll(): void;
}

interface PublishedDeps {
  database: Pick<Database, 'system'>;
  clock: Clock;
  maxEntries?: number;
}

/** The versions that buyers call, in memory; PostgreSQL is asked once per resource and change. */
export function openPublished(deps: PublishedDeps): Published {
  const { clock, database, maxEntries = 5_000 } = deps;
  const open = (by: Parameters<typeof loadVersion>[1]) =>
    openVersionCache({
      maxEntries,
      now: () => clock.now(),
      load: (key) => loadVersion({ pool: database.system, nowMs: clock.now() }, by, key.split('/')),
    });
  const bySlug = open('slug');
  const byResource = open('resource');
  const byVersion = open('version');
  const byPinnedSlug = open('pinnedSlug');
  const byPinnedResource = open('pinnedResource');
  const caches = [bySlug, byResource, byVersion, byPinnedSlug, byPinnedResource];
  return {
    // A name that cannot exist costs no query and no entry of the cache.
    find: (creator, slug, version) => {
      if (!isUsername(creator) || !isSlug(slug)) {
        return null;
      }
      const key = `${creator}/${slug}`;
      return version === undefined ? bySlug.find(key) : byPinnedSlug.find(`${key}/${version}`);
    },
    findById: (resourceId, version) => {
      if (!isUuid(resourceId)) {
        return null;
      }
      return version === undefined ? byResource.find(resourceId) : byPinnedResource.find(`${resourceId}/${version}`);
    },
    findVersion: (versionId) => (isUuid(versionId) ? byVersion.find(versionId) : null),
    onResourcesChanged: (resourceId) => caches.forEach((cache) => cache.drop(resourceId)),
    dropAll: () => caches.forEach((cache) => cache.drop()),
  };
}
