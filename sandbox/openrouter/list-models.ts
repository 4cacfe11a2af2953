import { createHash } from 'node:crypto';
import { authenticate } from './accounts.ts';
import type { CatalogueModel } from './catalogue.ts';
import type { Exchange } from './exchange.ts';
import { filterModels } from './filter-models.ts';
import { listEndpoints, toEndpointsJson } from './list-endpoints.ts';
import { isRefusal, refuse } from './refusal.ts';
import { replyJson, replyRefusal, replyText } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';

const CACHE_CONTROL = 'public, max-age=300, stale-while-revalidate=3600, stale-if-error=3600';
const MAX_PAGE = 1_000;
const DEFAULT_PAGE = 500;

/** `GET /models`: everything with text output unless `output_modalities` says otherwise. */
export function answerModels(state: State, exchange: Exchange): Reply {
  return answerList(state, exchange, state.catalogue.list);
}

function answerList(state: State, { query, headers }: Exchange, models: readonly CatalogueModel[]): Reply {
  const found = filterModels(models, query, state.clock.now());
  if (isRefusal(found)) {
    return replyRefusal(found);
  }
  const isPaged = query.has('limit') || query.has('offset');
  const pageSize = toCount(query.get('limit'), MAX_PAGE) ?? (isPaged ? DEFAULT_PAGE : null);
  const offset = toCount(query.get('offset'), Number.MAX_SAFE_INTEGER) ?? 0;
  const page = pageSize === null ? found.slice(offset) : found.slice(offset, offset + pageSize);
  const hasMore = offset + page.length < found.length;
  const next = new URLSearchParams(query);
  next.set('offset', String(offset + page.length));
  const text = JSON.stringify({
    data: page,
    total_count: found.length,
    links: { next: hasMore ? `/api/v1/models?${next.toString()}` : null },
  });
  const etag = `W/"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
  const cache = { etag, 'cache-control': CACHE_CONTROL };
  return headers['if-none-match'] === etag
    ? replyText('', { status: 304, headers: cache })
    : replyText(text, { headers: cache });
}

/** `GET /models/user`: without the models that the data policy of the account leaves no provider for. */
export function answerUserModels(state: State, exchange: Exchange): Reply {
  const key = authenticate(state.keys, exchange.headers['authorization'], state.clock.now());
  if (isRefusal(key)) {
    return replyRefusal(key);
  }
  const { zdr, deniesTraining } = key.account;
  const mayUse = (model: CatalogueModel): boolean =>
    listEndpoints(model, state.downProviders).some(
      ({ provider }) => (!zdr || provider.isZdr) && (!deniesTraining || !provider.trainsOnData),
    );
  const models = zdr || deniesTraining ? state.catalogue.list.filter(mayUse) : state.catalogue.list;
  return answerList(state, exchange, models);
}

/** `GET /models/count` */
export function answerModelCount(state: State, { query }: Exchange): Reply {
  const found = filterModels(state.catalogue.list, query, state.clock.now());
  return isRefusal(found) ? replyRefusal(found) : replyJson({ data: { count: found.length } });
}

/** `GET /models/{author}/{slug}/endpoints` */
export function answerEndpoints(state: State, { path }: Exchange): Reply {
  const id = decodeURIComponent(path.replace(/^.*?\/models\//, '').replace(/\/endpoints$/, ''));
  return answerOne(state, id, (model) => toEndpointsJson(model, state.downProviders));
}

/** `GET /model/{author}/{slug}` */
export function answerModel(state: State, { path }: Exchange): Reply {
  return answerOne(state, decodeURIComponent(path.replace(/^.*?\/model\//, '')), (model) => model);
}

function answerOne(state: State, id: string, describe: (model: CatalogueModel) => unknown): Reply {
  const model = state.catalogue.find(id);
  return model === null
    ? replyRefusal(refuse(404, `Model ${id.slice(0, 100)} not found`, { error_type: 'not_found' }))
    : replyJson({ data: describe(model) });
}

function toCount(text: string | null, most: number): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Math.min(Number(text), most) : null;
}
