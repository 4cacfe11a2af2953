import type { Exchange } from './exchange.ts';
import { listEndpoints, toEndpointJson } from './list-endpoints.ts';
import { providers } from './providers.ts';
import { replyJson } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';

/** `GET /providers` */
export function answerProviders(): Reply {
  const data = providers.map(({ name, tag }) => ({
    name,
    slug: tag,
    privacy_policy_url: null,
    terms_of_service_url: null,
    status_page_url: null,
    headquarters: null,
    datacenters: null,
  }));
  return replyJson({ data });
}

/** `GET /endpoints/zdr`: those of providers that keep nothing. */
export function answerZdrEndpoints(state: State, _exchange: Exchange): Reply {
  const data = state.catalogue.list.flatMap((model) =>
    listEndpoints(model, state.downProviders)
      .filter(({ provider }) => provider.isZdr)
      .map((endpoint) => toEndpointJson(model, endpoint)),
  );
  return replyJson({ data });
}
