import { Problem, type FieldProblem } from '#kit/index.ts';
import type { PublishedVersion, Readiness } from '#resources/index.ts';
import type { CallRequest } from './call-request.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { tooManyFiles } from './public-problem.ts';
import { readInput } from './read-given-input.ts';
import { recordRefused } from './record-refused.ts';
import { tellUnready } from './tell-owner.ts';

type Admission =
  | { ok: true; input: Record<string, unknown> }
  /** `cause` is for the owner: why the resource cannot run, and what to do. */
  | { ok: false; problem: Problem; cause?: string };

interface Asking {
  request: CallRequest;
  /** Who signed a payment; null where nobody did, as far as can be told at no cost. */
  payer: string | null;
}

/** May this call begin? State, input and readiness are checked before any money can move. */
export async function admit(deps: GatewayDeps, version: PublishedVersion, asking: Asking): Promise<Admission> {
  const { request, payer } = asking;
  const closed = await refuseClosed(deps, { version, request, payer });
  if (closed) {
    return { ok: false, problem: closed, ...(version.pauseCause === null ? {} : { cause: version.pauseCause }) };
  }
  if (!request.input.ok) {
    return { ok: false, problem: request.input.problem };
  }
  const parsed = readInput(request.input, version);
  if (!parsed.ok) {
    return { ok: false, problem: toInputProblem(parsed.fields) };
  }
  // Decoding and measuring is not done for whoever invents a payment: `keepInputs` looks at every file again.
  const { clientAddress } = request;
  const unfit = payer === null ? [] : await deps.inputs.check({ ...version, clientAddress, input: parsed.input });
  if (unfit === 'busy') {
    return { ok: false, problem: tooManyFiles() };
  }
  if (unfit.length > 0) {
    return { ok: false, problem: toInputProblem(unfit) };
  }
  const readiness = await deps.readiness.ask(version);
  if (readiness.ready) {
    return { ok: true, input: parsed.input };
  }
  const problem = await refuseUnready(deps, { version, request, payer }, readiness);
  return { ok: false, problem, cause: readiness.cause };
}

interface Refused {
  version: PublishedVersion;
  request: CallRequest;
  payer: string | null;
}

/** The creator reads the cause in the log, the buyer that it cannot answer. An owner's own test is nothing that was lost. */
export async function refuseUnready(
  deps: GatewayDeps,
  asked: Refused,
  readiness: Readiness & { ready: false },
): Promise<Problem> {
  const { cause, retryAfterSeconds } = readiness;
  const { version, request } = asked;
  // Whatever does not end by itself pauses the current version, and the pause is told.
  if (!request.isOwnerTest && (retryAfterSeconds !== undefined || version.isPinned)) {
    await tellUnready(deps, version, readiness);
  }
  await record(deps, asked, { cause, isCounted: true });
  return unavailable(retryAfterSeconds);
}

/**
 * A paused or archived resource is not offered, with or without a payment. Its creator sees in the log what they miss; a
 * pause of their own is no failure.
 */
export async function refuseClosed(deps: GatewayDeps, asked: Refused): Promise<Problem | null> {
  const { state, pausedBy, pauseCause, isWithdrawn } = asked.version;
  if (state === 'published') {
    return null;
  }
  if (state === 'archived') {
    const detail = isWithdrawn
      ? 'This version is no longer offered by its creator.'
      : 'This resource was archived by its creator.';
    return new Problem('gone', { detail, ...(isWithdrawn ? { next: 'Call the resource without a version.' } : {}) });
  }
  await record(deps, asked, { cause: pauseCause ?? 'paused', isCounted: pausedBy !== 'owner' });
  return unavailable(undefined);
}

async function record(deps: GatewayDeps, asked: Refused, why: { cause: string; isCounted: boolean }): Promise<void> {
  if (!asked.request.isOwnerTest) {
    await recordRefused(deps, asked, { problem: 'unavailable', ...why }).catch((err: unknown) => {
      deps.log.error({ err, resourceId: asked.version.resourceId }, 'a refused call could not be logged');
    });
  }
}

function unavailable(retryAfterSeconds: number | undefined): Problem {
  return new Problem('unavailable', {
    detail: 'This resource cannot answer at the moment.',
    headers: { 'Retry-After': String(retryAfterSeconds ?? 60) },
  });
}

/** What of the input is not as the resource takes it. */
export function toInputProblem(fields: readonly FieldProblem[]): Problem {
  return new Problem('invalid_input', { detail: describeFields(fields), fields });
}

function describeFields(fields: readonly FieldProblem[]): string {
  const first = fields[0];
  return `${first ? `${first.message} ` : ''}The schema of the input stands in the 402 of the resource and in GET /api/resources/{id}/openapi.json.`;
}
