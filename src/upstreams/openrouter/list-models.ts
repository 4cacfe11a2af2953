import { z } from 'zod';
import { safeParse, Problem } from '#kit/index.ts';
import { getJson, type JsonGet } from './get-json.ts';

const MAX_PAGES = 50;
const MAX_PAGE_BYTES = 32_000_000;

const page = z.object({
  data: z.array(z.unknown()),
  /** Of all pages. */
  total_count: z.int().min(0).nullish().catch(null),
  links: z
    .object({ next: z.string().nullish().catch(null) })
    .nullish()
    .catch(null),
});

/** All pages of `GET /models` with every output modality; the default list holds only models that write text. */
export async function listModels(source: JsonGet): Promise<unknown[]> {
  const models: unknown[] = [];
  const seen = new Set<string>();
  let total = 0;
  let next: string | null = `${source.basePath}/models?output_modalities=all&limit=1000`;
  while (next !== null && !seen.has(next)) {
    if (seen.size >= MAX_PAGES) {
      throw fail('The catalogue of OpenRouter has no end.');
    }
    seen.add(next);
    const got = await getPage(source, next);
    models.push(...got.data);
    total = got.total_count ?? total;
    next = toPath(source, next, got.links?.next);
  }
  if (models.length < total) {
    throw fail(`OpenRouter speaks of ${total} models and listed ${models.length}.`);
  }
  return models;
}

async function getPage(source: JsonGet, path: string): Promise<z.output<typeof page>> {
  const got = await getJson(source, { path, timeoutMs: 30_000, maxBytes: MAX_PAGE_BYTES }).catch(() => {
    throw fail('OpenRouter cannot be reached.');
  });
  const parsed = safeParse(page, got.body);
  if (got.status !== 200 || !parsed.success) {
    throw fail(`OpenRouter answered the request for its catalogue with status ${got.status}.`);
  }
  return parsed.data;
}

/** The next page's path; a link to another origin is not followed. */
function toPath(source: JsonGet, current: string, link: string | null | undefined): string | null {
  if (!link || !URL.canParse(link, source.origin + current)) {
    return null;
  }
  const url = new URL(link, source.origin + current);
  return url.origin === source.origin ? url.pathname + url.search : null;
}

function fail(detail: string): Problem {
  return new Problem('upstream_failed', { detail });
}
