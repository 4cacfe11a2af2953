import { Problem } from '#kit/index.ts';
import { parseInput, type PublishedVersion, type Readiness } from '#resources/index.ts';
import type { CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';

type Admission = { ok: true; input: Record<string, unknown> } | { ok: false; problem: Problem };

/** May this call begin? State, input and readiness are checked before any money can move. */
export async function admit(deps: GatewayDeps, version: PublishedVersion, request: CallRequest): Promise<Admission> {
  const closed = refuseClosed(version);
  if (closed) {
    return { ok: false, problem: closed };
  }
  if (!request.input.ok) {
    return { ok: false, problem: request.input.problem };
  }
  const parsed = parseInput(version, request.input.value, { isText: request.input.isText });
  if (!parsed.ok) {
    return {
      ok: false,
      problem: new Problem('invalid_input', { detail: describeFields(parsed.fields), fields: parsed.fields }),
    };
  }
  const readiness = await askReadiness(deps, version);
  if (!readiness?.ready) {
    deps.log.warn({ resourceId: version.resourceId, cause: readiness?.cause }, 'resource is not ready');
    return { ok: false, problem: unavailable(readiness?.retryAfterSeconds) };
  }
  return { ok: true, input: parsed.input };
}

/** A kind that cannot even say is not ready; what it threw is nothing for buyers. */
async function askReadiness(deps: GatewayDeps, version: PublishedVersion): Promise<Readiness | undefined> {
  try {
    return await deps.kinds.get(version.kind)?.isReady(version);
  } catch (error) {
    deps.log.error({ err: error, resourceId: version.resourceId }, 'readiness could not be asked');
    return { ready: false, cause: 'internal' };
  }
}

/** A paused or archived resource is not offered, with or without a payment. */
export function refuseClosed(version: PublishedVersion): Problem | null {
  if (version.state === 'archived') {
    return new Problem('gone', { detail: 'This resource was archived by its creator.' });
  }
  return version.state === 'published' ? null : unavailable(undefined);
}

function unavailable(retryAfterSeconds: number | undefined): Problem {
  return new Problem('unavailable', {
    detail: 'This resource cannot answer at the moment.',
    headers: { 'Retry-After': String(retryAfterSeconds ?? 60) },
  });
}

function describeFields(fields: readonly { path: string; message: string }[]): string {
  const first = fields[0];
  return `${first ? `${first.message} ` : ''}See the input schema in the 402 answer to a request without payment.`;
}
