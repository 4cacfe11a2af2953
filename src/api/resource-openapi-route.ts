import { answerJson } from './answer-json.ts';
import type { Route } from './mount-routes.ts';
import { toSource } from './operation-routes.ts';
import { toResourceOpenapi } from './resource-openapi.ts';
import type { AppOptions } from './server-options.ts';

export function resourceOpenapiRoutes({ getContract, kinds, publicUrl }: AppOptions): Route[] {
  const { origin } = new URL(publicUrl);
  return [
    {
      method: 'GET',
      pattern: '/api/resources/:id/openapi.json',
      handle: async (c) => {
        const resource = await getContract(c.req.param('id') ?? '', toSource(c));
        return answerJson(c, {
          body: toResourceOpenapi(resource, { origin, kinds }),
          cacheControl: 'public, max-age=10',
        });
      },
    },
  ];
}
