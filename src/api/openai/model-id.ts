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
  if (path === null || text.includes('?')) {
    return null;
  }
  const { query: _, ...named } = path;
  return named;
}

export function toModelId({ creator, slug, version }: NamedModel): string {
  return `${creator}/${version === undefined ? slug : toPinnedSlug(slug, version)}`;
}
