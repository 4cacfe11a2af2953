import type { z } from 'zod';
import {
  anonymous,
  bind,
  callOperation,
  isSlug,
  isUsername,
  Problem,
  type OperationPorts,
  type Source,
} from '#kit/index.ts';
import { networks } from '#payments/index.ts';
import { getCreatorResource, listResources, toInputExample, type ResourcesDeps } from '#resources/index.ts';
import type { PublicResource } from './public-resource.ts';
import type { AppOptions } from './server-options.ts';

type Shown = z.output<typeof getCreatorResource.output>;

const SHOWN_AT_ONCE = 24;

interface LandingOptions {
  ports: OperationPorts;
  resources: ResourcesDeps;
  /** `creator/slug`, or `creator` for all of theirs: what the operator puts on the front page, in this order. */
  featured: readonly string[];
  /** CAIP-2 of the networks whose chain is the sandbox's own. */
  localNetworks: readonly string[];
  /** Is it known of a model that its answers hold no files? */
  writesTextAlone(model: string): Promise<boolean>;
}

/**
 * What the public pages show, read through the same operations as everybody else's programs. The pages have a limit of
 * their own, so that none is counted here.
 */
export function openLanding(options: LandingOptions): AppOptions['landing'] {
  const { ports, resources } = options;
  const list = bind(listResources, resources);
  const get = bind(getCreatorResource, resources);
  const shownAs = openNames(options);
  const unlimited = (source: Source): Source => ({ ...source, clientAddress: null });
  const listShown = async (input: object, source: Source) => {
    const page = await callOperation(ports, list, { caller: anonymous, input, source: unlimited(source) });
    const items = page.items.flatMap((item) => (item.view === 'public' ? [toShown(item, shownAs)] : []));
    return { items, nextCursor: page.nextCursor };
  };
  const find = async (place: { creator: string; slug: string }, source: Source): Promise<PublicResource | null> => {
    const { creator, slug } = place;
    if (!isUsername(creator) || !isSlug(slug)) {
      return null;
    }
    const input = { username: creator, slug };
    const found = await callOperation(ports, get, { caller: anonymous, input, source: unlimited(source) });
    const shown = toShown(found, shownAs);
    const hasNoFiles = shown.model !== null && (await options.writesTextAlone(shown.model));
    return hasNoFiles ? { ...shown, mediaRetentionSeconds: null } : shown;
  };
  const findFeatured = async (entry: string, source: Source): Promise<PublicResource[]> => {
    const [creator = '', slug] = entry.split('/');
    if (slug === undefined) {
      return (await listShown({ creator, limit: SHOWN_AT_ONCE }, source)).items;
    }
    const found = await find({ creator, slug }, source).catch((error: unknown) => {
      if (error instanceof Problem && error.code === 'not_found') {
        return null;
      }
      throw error;
    });
    return found?.state === 'published' ? [found] : [];
  };
  return {
    listFeatured: async (source) => {
      const found = await Promise.all(options.featured.map((entry) => findFeatured(entry, source)));
      return found.flat().slice(0, SHOWN_AT_ONCE);
    },
    listPublished: (cursor, source) =>
      listShown({ limit: SHOWN_AT_ONCE, ...(cursor === null ? {} : { cursor }) }, source),
    findResource: find,
  };
}

interface Names {
  kind(name: string): string;
  network(caip2: string): string;
}

/** What people read instead of the names on the wire. */
function openNames({ resources, localNetworks }: LandingOptions): Names {
  return {
    kind: (name) => resources.kinds.find((kind) => kind.name === name)?.title ?? name,
    network: (caip2) => (localNetworks.includes(caip2) ? 'the local test chain' : (networks[caip2]?.name ?? caip2)),
  };
}

function toShown(shown: Shown, names: Names): PublicResource {
  const model = shown.details['model'];
  return {
    creator: shown.creator,
    slug: shown.slug,
    name: shown.name,
    description: shown.description,
    category: shown.category,
    tags: shown.tags,
    kind: names.kind(shown.kind),
    model: typeof model === 'string' ? model : null,
    state: shown.state === 'draft' ? 'paused' : shown.state,
    version: shown.version,
    offers: shown.offers.map(({ scheme, priceUsdc, network, payTo }) => {
      const from = shown.priceFormula === null ? {} : { fromUsdc: shown.priceFromUsdc };
      return { scheme, priceUsdc, ...from, network, networkName: names.network(network), payTo };
    }),
    settlementPoint: shown.settlementPoint,
    timeoutSeconds: shown.timeoutSeconds,
    runsLong: shown.runsLong,
    batch: shown.batch,
    mediaRetentionSeconds: shown.mediaRetentionSeconds,
    parameters: shown.parameters.map((parameter) => ({ ...parameter })),
    inputExample: toInputExample(shown.parameters),
    ...(shown.stats ? { stats: shown.stats } : {}),
  };
}
