import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem, takeUnit } from '#kit/index.ts';
import { answerJson, answerText } from './answer-json.ts';
import type { Route } from './mount-routes.ts';
import { toOpenapi } from './openapi.ts';
import { toSource } from './operation-routes.ts';
import { docsPage } from './pages/docs-page.ts';
import { landingPage } from './pages/landing-page.ts';
import { resourcesPage } from './pages/resources-page.ts';
import { resourcePage } from './pages/resource-page.ts';
import type { AppContext } from './request-context.ts';
import type { AppOptions } from './server-options.ts';

const LIVE = 'public, max-age=10';
const STEADY = 'public, max-age=300';

const assets = [
  { file: 'site.css', type: 'text/css; charset=utf-8' },
  { file: 'mark.svg', type: 'image/svg+xml' },
];

/** The public pages, their style and the OpenAPI document. */
export function pagesRoutes(options: AppOptions): Route[] {
  const { landing, operations, kinds, version } = options;
  const origin = new URL(options.publicUrl).origin;
  const frame = { origin, isSandbox: options.sandbox !== undefined };
  const openapi = toOpenapi({ operations, kinds }, { origin, version, isSandbox: frame.isSandbox });
  const page = openPage(options);
  return [
    page('/', LIVE, async (c) => landingPage({ ...frame, resources: await landing.listFeatured(toSource(c)) })),
    page('/docs', STEADY, () => docsPage({ ...frame, operations, kinds })),
    page('/resources', LIVE, async (c) => {
      const published = await landing.listPublished(c.req.query('cursor') ?? null, toSource(c));
      return resourcesPage({ ...frame, resources: published.items, nextCursor: published.nextCursor });
    }),
    page('/resources/:creator/:slug', LIVE, async (c) => {
      const place = c.req.param() as { creator: string; slug: string };
      const resource = await landing.findResource(place, toSource(c));
      if (!resource) {
        throw new Problem('not_found', { detail: 'No published resource has this address.' });
      }
      return resourcePage({ ...frame, resource });
    }),
    {
      method: 'GET',
      pattern: '/api/openapi.json',
      handle: (c) => answerJson(c, { body: openapi, cacheControl: STEADY }),
    },
    ...assets.map(assetRoute),
  ];
}

type OpenPage = (pattern: string, cacheControl: string, render: (c: AppContext) => Promise<string>) => Route;

/** Whoever reads pages does not use up what their programs may ask, nor the other way round. */
function openPage({ limits }: AppOptions): OpenPage {
  return (pattern, cacheControl, render) => ({
    method: 'GET',
    pattern,
    handle: async (c) => {
      await takeUnit(limits?.pages, c.get('clientAddress'));
      const body = await render(c);
      c.header('Content-Type', 'text/html; charset=utf-8');
      return answerText(c, { body, cacheControl });
    },
  });
}

function assetRoute({ file, type }: (typeof assets)[number]): Route {
  return {
    method: 'GET',
    pattern: `/assets/${file}`,
    handle: async (c) => {
      const body = await readFile(join(import.meta.dirname, 'pages', file), 'utf8');
      c.header('Content-Type', type);
      return answerText(c, { body, cacheControl: STEADY });
    },
  };
}
