import { createHash } from 'node:crypto';
import { authenticate } from './accounts.ts';
import type { CatalogueModel } from './catalogue.ts';
import type { Exchange } from './exchange.ts';
import { toEndpointsJson } from './list-endpoints.ts';
import { isRefusal, refuse } from './refusal.ts';
import { replyJson, replyRefusal, replyText } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';

const CACHE_CONTROL = 'public, max-age=300, stale-while-revalidate=3600, stale-if-error=3600';
const MAX_PAGE = 1_000;

/** `GET /models`: everything with text output unless `output_modalities` says otherwise. */
export function answerModels(state: State, exchange: Exchange): Reply {
  const { query, headers } = exchange;
  const found = filterModels(state.catalogue.list, query);
  const pageSize = toCount(query.get('limit'), MAX_PAGE);
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

/** `GET /models/user`: here every account may use every model. */
export function answerUserModels(state: State, exchange: Exchange): Reply {
  const key = authenticate(state.keys, exchange.headers['authorization'], state.clock.now());
  return isRefusal(key) ? replyRefusal(key) : answerModels(state, exchange);
}

/** `GET /models/count` */
export function answerModelCount(state: State, { query }: Exchange): Reply {
  return replyJson({ data: { count: filterModels(state.catalogue.list, query).length } });
}

/** `GET /models/{author}/{slug}/endpoints` */
export function answerEndpoints(state: State, { path }: Exchange): Reply {
  const id = decodeURIComponent(path.replace(/^.*?\/models\//, '').replace(/\/endpoints$/, ''));
  const model = state.catalogue.find(id);
  return model === null
    ? replyRefusal(refuse(404, `Model ${id.slice(0, 100)} not found`, { error_type: 'not_found' }))
    : replyJson({ data: toEndpointsJson(model) });
}

function filterModels(models: readonly CatalogueModel[], query: URLSearchParams): CatalogueModel[] {
  const outputs = listOf(query.get('output_modalities') ?? 'text');
  const inputs = listOf(query.get('input_modalities') ?? '');
  const parameters = listOf(query.get('supported_parameters') ?? '');
  const words = query.get('q')?.toLowerCase() ?? '';
  return models.filter(
    (model) =>
      (outputs.includes('all') ||
        model.architecture.output_modalities.some((modality) => outputs.includes(modality))) &&
      inputs.every((modality) => model.architecture.input_modalities.includes(modality)) &&
      parameters.every((parameter) => model.supported_parameters.includes(parameter)) &&
      `${model.id} ${model.name}`.toLowerCase().includes(words),
  );
}

function listOf(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

function toCount(text: string | null, most: number): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Math.min(Number(text), most) : null;
}
