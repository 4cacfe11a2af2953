import { parseResourcePath, Problem, toPinnedSlug } from '#kit/index.ts';

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

/** Clients of OpenAI come with the names of models that they know: what ids look like here, and where they are listed. */
export const MODEL_ID_FORM =
  'A model here is a published resource, "creator/slug", or one of its versions, "creator/slug@3". GET /v1/models lists what there is.';

/** Nothing is published under an id: it names no resource, whether or not it looks like one. */
export function unknownModel(): Problem {
  return new Problem('not_found', {
    detail: 'No resource is published under this id.',
    next: MODEL_ID_FORM,
    fields: [{ path: '/model', message: 'names no resource' }],
  });
}
