import { parseResourcePath, toPinnedSlug } from '#kit/index.ts';

/** A resource, or one of its versions. */
export interface NamedModel {
  creator: string;
  slug: string;
  version?: number;
}

/** `creator/slug`, `@creator/slug` and either with `@3` behind it; null where it cannot name a resource. */
export function parseModelId(text: string): NamedModel | null {
  const path = parseResourcePath(text.startsWith('@') ? `/${text}` : `/@${text}`);
  if (path === null || path.isBatch || text.includes('?')) {
    return null;
  }
  const { creator, slug, version } = path;
  return version === undefined ? { creator, slug } : { creator, slug, version };
}

export function toModelId({ creator, slug, version }: NamedModel): string {
  return `${creator}/${version === undefined ? slug : toPinnedSlug(slug, version)}`;
}
