import { takeUnit } from '#kit/index.ts';
import { answerJson } from '../answer-json.ts';
import type { Route } from '../mount-routes.ts';
import { toSource } from '../operation-routes.ts';
import type { AppContext } from '../request-context.ts';
import type { AppOptions } from '../server-options.ts';
import { refuse } from './asked.ts';
import { parseModelId, unknownModel } from './model-id.ts';

const SHARED = 'public, max-age=10';

/** OpenAI's clients read one page and ask for no other, so one holds a lot. */
const MOST_AT_ONCE = 1_000;

/** The published resources as models. An id holds a slash, which clients encode or not. */
export function modelRoutes({ models, ports }: AppOptions): Route[] {
  const show = async (c: AppContext, id: string): Promise<Response> => {
    await takeUnit(ports.limiter, c.get('clientAddress'));
    const target = parseModelId(id);
    const model = target && (await models.find(target));
    if (!model) {
      throw unknownModel();
    }
    return answerJson(c, { body: model, cacheControl: SHARED });
  };
  return [
    {
      method: 'GET',
      pattern: '/v1/models',
      handle: async (c) => {
        const { after, limit = String(MOST_AT_ONCE) } = c.req.query();
        const count = /^\d{1,4}$/.test(limit) ? Math.min(Number(limit), MOST_AT_ONCE) : 0;
        if (count < 1) {
          throw refuse('/limit', `"limit" is a whole number from 1 to ${MOST_AT_ONCE}.`);
        }
        const place = after === undefined ? null : parseModelId(after);
        if (after !== undefined && place === null) {
          throw refuse('/after', '"after" is the id of a model.');
        }
        const { data, hasMore } = await models.list({ after: place, limit: count }, toSource(c));
        const ends = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
        return answerJson(c, { body: { object: 'list', data, ...ends, has_more: hasMore }, cacheControl: SHARED });
      },
    },
    { method: 'GET', pattern: '/v1/models/:id', handle: (c) => show(c, c.req.param('id') ?? '') },
    {
      method: 'GET',
      pattern: '/v1/models/:creator/:slug',
      handle: (c) => show(c, `${c.req.param('creator')}/${c.req.param('slug')}`),
    },
  ];
}
