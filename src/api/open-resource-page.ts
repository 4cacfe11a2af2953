import type { IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';
import { newId, Problem, takeUnit, type Log, type RateLimiter } from '#kit/index.ts';
import { resourcePage } from './pages/resource-page.ts';
import type { AppOptions } from './server-options.ts';

interface PageOptions {
  landing: Pick<AppOptions['landing'], 'findResource'>;
  publicUrl: string;
  isSandbox: boolean;
  limiter: RateLimiter;
  log: Pick<Log, 'error'>;
}

interface Visit {
  creator: string;
  slug: string;
  clientAddress: string;
}

const forms = ['application/json', 'text/html'];

/** A person who opens the URL of a resource: JSON would tell them nothing. Programs ask for anything, or for JSON. */
export function isVisit(req: IncomingMessage): boolean {
  const asks = req.method === 'GET' && req.headers.accept?.includes('text/html') === true;
  return asks && new Negotiator(req).mediaType(forms) === 'text/html';
}

/** The page of a resource, for the body of a 402; null where it cannot be shown, and the 402 is told as to a program. */
export function openResourcePage({ landing, publicUrl, isSandbox, limiter, log }: PageOptions) {
  const { origin } = new URL(publicUrl);
  return async ({ creator, slug, clientAddress }: Visit): Promise<string | null> => {
    try {
      await takeUnit(limiter, clientAddress);
      const source = { surface: 'http' as const, requestId: newId(), clientAddress };
      const resource = await landing.findResource({ creator, slug }, source);
      return resource && (await resourcePage({ origin, isSandbox, resource }));
    } catch (error) {
      if (!(error instanceof Problem)) {
        log.error({ err: error }, 'the page of a resource could not be shown');
      }
      return null;
    }
  };
}
