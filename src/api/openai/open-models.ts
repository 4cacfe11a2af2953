import type { z } from 'zod';
import {
  anonymous,
  bind,
  callOperation,
  formatUsdc,
  Problem,
  toPinnedSlug,
  toResourceUrl,
  type OperationPorts,
  type Source,
} from '#kit/index.ts';
import type { Gateway } from '#gateway/index.ts';
import { listResources, type PublishedVersion, type ResourcesDeps } from '#resources/index.ts';
import { toModelId, type NamedModel } from './model-id.ts';

type Listed = z.output<typeof listResources.output>['items'][number] & { view: 'public' };

/** A published resource as a model; beside what OpenAI's clients know, what OpenRouter's have for a name and a price. */
export interface Model {
  id: string;
  object: 'model';
  /** In seconds. */
  created: number;
  owned_by: string;
  name: string;
  description: string;
  /** The most that one call costs, in USD. */
  pricing: { request: string };
  /** Where its parameters and offers are told. */
  url: string;
}

export interface Models {
  /** Newest first, from behind one of them. Throws `not_found` where that one is none. */
  list(page: { after: NamedModel | null; limit: number }, source: Source): Promise<{ data: Model[]; hasMore: boolean }>;
  /** Any version that can be called; null where there is none. */
  find(named: NamedModel): Promise<Model | null>;
}

interface ModelsOptions {
  ports: OperationPorts;
  resources: ResourcesDeps;
  gateway: Pick<Gateway, 'getCallable'>;
  publicUrl: string;
}

/** The most that the list of resources gives at a time. */
const PAGE = 100;

export function openModels({ ports, resources, gateway, publicUrl }: ModelsOptions): Models {
  const operation = bind(listResources, resources);
  const get = async (named: NamedModel): Promise<PublishedVersion | null> => {
    const found = await gateway.getCallable(named).catch((error: unknown) => {
      if (error instanceof Problem && error.code === 'not_found') {
        return null;
      }
      throw error;
    });
    return found && found.version.state !== 'archived' ? found.version : null;
  };
  return {
    find: async (named) => {
      const version = await get(named);
      return version && toModel(version, { publicUrl, named });
    },
    list: async ({ after, limit }, source) => {
      const behind = after && (await get(after));
      if (after && !behind) {
        throw new Problem('not_found', { detail: 'No published resource has the id in "after".' });
      }
      const data: Model[] = [];
      // One request of a client counts once, however many pages it takes here.
      let from = source;
      let cursor: string | null = behind?.resourceId ?? null;
      do {
        const input = { limit: Math.min(PAGE, limit - data.length), ...(cursor === null ? {} : { cursor }) };
        const page = await callOperation(ports, operation, { caller: anonymous, input, source: from });
        const shown = page.items.filter((item): item is Listed => item.view === 'public');
        data.push(...shown.map(toListed));
        cursor = page.nextCursor;
        from = { ...source, clientAddress: null };
      } while (cursor !== null && data.length < limit);
      return { data, hasMore: cursor !== null };
    },
  };
}

function toListed({ creator, slug, publishedAt, name, description, priceUsdc, url }: Listed): Model {
  return {
    id: toModelId({ creator, slug }),
    object: 'model',
    created: toSeconds(new Date(publishedAt)),
    owned_by: creator,
    name,
    description,
    pricing: { request: priceUsdc },
    url,
  };
}

function toModel(version: PublishedVersion, { publicUrl, named }: { publicUrl: string; named: NamedModel }): Model {
  const { creator, slug, publishedAt, name, description, priceAtomic } = version;
  const pinned = named.version === undefined ? slug : toPinnedSlug(slug, named.version);
  return {
    id: toModelId({ ...named, creator, slug }),
    object: 'model',
    created: toSeconds(publishedAt),
    owned_by: creator,
    name,
    description,
    pricing: { request: formatUsdc(priceAtomic) },
    url: toResourceUrl(publicUrl, creator, pinned),
  };
}

function toSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
