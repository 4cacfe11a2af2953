const USERNAME = /^[a-z0-9](-?[a-z0-9])*$/;
/** The form of slugs and tags, whatever their length. */
export const slugPattern = /^[a-z0-9]+(-[a-z0-9]+)*$/;
export const MIN_USERNAME_LENGTH = 3;
export const MAX_USERNAME_LENGTH = 30;
export const MAX_SLUG_LENGTH = 60;

/** The form of a creator's name: lower case, 3 to 30 characters, single inner hyphens. The tables demand the same. */
export function isUsername(text: string): boolean {
  return text.length >= MIN_USERNAME_LENGTH && text.length <= MAX_USERNAME_LENGTH && USERNAME.test(text);
}

/** The form of the last part of a resource's URL: lower case, at most 60 characters, single inner hyphens. */
export function isSlug(text: string): boolean {
  return text.length <= MAX_SLUG_LENGTH && slugPattern.test(text);
}

/** Where a resource is called: the path under the origin. */
export function toResourcePath(creator: string, slug: string): string {
  return `/@${creator}/${slug}`;
}

/** Where many inputs are sent at once: under the path of the resource, or of one of its versions. */
const BATCH_PART = '/batch';

export function toBatchUrl(resourceUrl: string): string {
  return `${resourceUrl}${BATCH_PART}`;
}

/** The last part of the path of one version of a resource: `slug@3`. */
export function toPinnedSlug(slug: string, version: number): string {
  return `${slug}@${version}`;
}

/** `origin` has no slash at its end. */
export function toResourceUrl(origin: string, creator: string, slug: string): string {
  return `${origin}${toResourcePath(creator, slug)}`;
}

const UNRESERVED_IN_NAMES = /%(?:2d|40|3[0-9]|[46][1-9a-f]|[57][0-9a])/gi;

/**
 * The parts of `/@creator/slug?query` or `/@creator/slug@version?query`, with `/batch` behind it where many inputs are sent;
 * null when the names cannot be those of a resource.
 * A slash at the end, capital letters and percent-encoded characters of names (RFC 3986, 6.2.2) name the same resource; an
 * encoded slash does not.
 */
export function parseResourcePath(
  url: string,
): { creator: string; slug: string; version?: number; isBatch?: true; query: string } | null {
  const [, path = '', query = ''] = /^([^?]*)(?:\?(.*))?$/s.exec(url) ?? [];
  const plain = path.includes('%') ? path.replaceAll(UNRESERVED_IN_NAMES, decodeURIComponent) : path;
  const named = plain.toLowerCase();
  const [, creator = '', slug = '', version, batch] =
    /^\/@([^/]*)\/([^/@]*)(?:@([1-9][0-9]{0,8}))?(\/batch)?\/?$/.exec(named) ?? [];
  const pin = version === undefined ? {} : { version: Number(version) };
  const form = batch === undefined ? {} : { isBatch: true as const };
  return isUsername(creator) && isSlug(slug) ? { creator, slug, ...pin, ...form, query } : null;
}
