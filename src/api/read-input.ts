import { Problem, toPointer } from '#kit/index.ts';
import { assertNoBody, readJsonBody } from './read-json-body.ts';
import { readQueryPairs } from './read-query.ts';
import type { AppContext } from './request-context.ts';

/** One object from path, query and body. A field that stands in two of them with two meanings is refused. */
export async function readInput(c: AppContext): Promise<Record<string, unknown>> {
  const query = readQuery(new URL(c.req.url).search.slice(1));
  if (c.req.method === 'GET' || c.req.method === 'HEAD') {
    assertNoBody(c.req.raw.headers);
    return merge(query, readPath(c));
  }
  const body = await readJsonBody(c.req.raw);
  const twice = Object.keys(query).find((name) => Object.hasOwn(body, name));
  if (twice !== undefined) {
    throw ambiguous(twice, 'the query and the body');
  }
  return merge({ ...body, ...query }, readPath(c));
}

/** Repeated names become a list, which the schema accepts or refuses. */
function readQuery(search: string): Record<string, unknown> {
  const found = new Map<string, string[]>();
  for (const [name, value] of readQueryPairs(search)) {
    found.set(name, [...(found.get(name) ?? []), value]);
  }
  return Object.fromEntries([...found].map(([name, values]) => [name, values.length === 1 ? values[0] : values]));
}

function readPath(c: AppContext): Record<string, string> {
  return c.req.param();
}

function merge(rest: Record<string, unknown>, path: Record<string, string>): Record<string, unknown> {
  const other = Object.keys(path).find((name) => Object.hasOwn(rest, name) && rest[name] !== path[name]);
  if (other !== undefined) {
    throw ambiguous(other, 'the path and the rest of the request');
  }
  return { ...rest, ...path };
}

function ambiguous(name: string, where: string): Problem {
  return new Problem('invalid_input', {
    detail: `"${name.slice(0, 60)}" stands in both ${where}. Send it once.`,
    fields: [{ path: toPointer([name]), message: 'is given twice' }],
  });
}
