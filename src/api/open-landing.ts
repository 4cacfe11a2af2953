import type { z } from 'zod';
import { anonymous, bind, callOperation, isSlug, isUsername, type OperationPorts } from '#kit/index.ts';
import { networks } from '#payments/index.ts';
import { getCreatorResource, listResources, toInputExample, type ResourcesDeps } from '#resources/index.ts';
import type { PublicResource } from './public-resource.ts';
import type { AppOptions } from './server-options.ts';

type Shown = z.output<typeof getCreatorResource.output>;

const SHOWN_AT_ONCE = 24;

/** What the public pages show, read through the same operations as everybody else's programs. */
export function openLanding(ports: OperationPorts, deps: ResourcesDeps): AppOptions['landing'] {
  const list = bind(listResources, deps);
  const get = bind(getCreatorResource, deps);
  return {
    listResources: async (source) => {
      const input = { limit: SHOWN_AT_ONCE };
      const { items } = await callOperation(ports, list, { caller: anonymous, input, source });
      return items.flatMap((item) => (item.view === 'public' ? [toShown(item)] : []));
    },
    findResource: async ({ creator, slug }, source) => {
      if (!isUsername(creator) || !isSlug(slug)) {
        return null;
      }
      const input = { username: creator, slug };
      return toShown(await callOperation(ports, get, { caller: anonymous, input, source }));
    },
  };
}

function toShown(shown: Shown): PublicResource {
  const model = shown.details['model'];
  return {
    creator: shown.creator,
    slug: shown.slug,
    name: shown.name,
    description: shown.description,
    category: shown.category,
    tags: shown.tags,
    kind: shown.kind,
    model: typeof model === 'string' ? model : null,
    state: shown.state === 'draft' ? 'paused' : shown.state,
    version: shown.version,
    offers: shown.offers.map(({ scheme, priceUsdc, network, payTo }) => {
      return { scheme, priceUsdc, network, networkName: networks[network]?.name ?? network, payTo };
    }),
    settlementPoint: shown.settlementPoint,
    timeoutSeconds: shown.timeoutSeconds,
    parameters: shown.parameters.map((parameter) => ({ ...parameter })),
    inputExample: toInputExample(shown.parameters),
    ...(shown.stats ? { stats: shown.stats } : {}),
  };
}
