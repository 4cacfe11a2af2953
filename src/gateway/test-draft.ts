import { z } from 'zod';
import { collectParts, execute } from '#execution/index.ts';
import { assertUser, newId, operation, Problem, type Caller, type Json } from '#kit/index.ts';
import { findOwnDraft, parseInput, type Outcome, type PublishedVersion, type ResourcesDeps } from '#resources/index.ts';
import { recordCall } from '#usage/index.ts';
import { toCallRecord } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';

export type DraftDeps = Pick<GatewayDeps, 'database' | 'clock' | 'log' | 'limiter'> & { resources: ResourcesDeps };

const fieldProblem = z.object({ path: z.string(), message: z.string() });

const output = z.object({
  /** Did the draft answer? */
  ok: z.boolean(),
  /** What still stands in the way of publishing it; an answer may be had before. */
  problems: z.array(fieldProblem),
  /** Why it did not answer, for its creator. */
  cause: z.string().nullable(),
  /** What the upstream was sent, or would have been; null where the kind sends no prompt. */
  prompt: z.array(z.object({ role: z.string(), content: z.string() })).nullable(),
  /** What a buyer would get, without a receipt. Bytes are base64. */
  answer: z.object({ contentType: z.string(), json: z.unknown().optional(), base64: z.string().optional() }).nullable(),
  callId: z.uuid().nullable(),
  latencyMs: z.int().nullable(),
  /** USD as a decimal; null where nobody told. */
  costUsd: z.string().nullable(),
  /** Whose key paid. */
  keySource: z.enum(['own', 'platform']).nullable(),
  /** What the kind tells of the run, such as tokens and the model that answered. */
  evidence: z.record(z.string(), z.unknown()),
});

type Tried = z.input<typeof output>;

/**
 * Runs the draft once for its owner, through the same execution as every call: nothing is sold, nothing counted, the run
 * is logged as a test (version 0) and costs what the model costs. The run is no part of the transaction.
 */
export const testDraft = operation({
  name: 'resources.test',
  route: 'POST /api/resources/:id/test',
  summary:
    'Run the draft with this input as a buyer would, before it is for sale: shows the prompt, the answer, tokens, cost and what still stands in the way of publishing.',
  scope: 'resources:write',
  input: z.strictObject({ id: z.uuid(), input: z.record(z.string(), z.unknown()).default({}) }),
  output,
  problems: ['not_found'],
  prepare: async (deps: DraftDeps, caller, { id, input }) => {
    assertUser(caller);
    const { version, problems } = await findOwnDraft(deps.resources, caller, id);
    if (version === null) {
      return { ...notRun, problems, cause: 'not_runnable: Mend what "problems" lists first.' };
    }
    const parsed = parseInput(version, input, { isText: false });
    if (!parsed.ok) {
      const fields = parsed.fields.map(({ path, message }) => ({ path: `/input${path}`, message }));
      throw new Problem('invalid_input', { detail: 'The input does not fit the parameters of the draft.', fields });
    }
    await takeTest(deps, caller.userId);
    return tryDraft(deps, { version, input: parsed.input, problems });
  },
  run: async ({ prepared }: { prepared: Tried }, _caller: Caller) => prepared,
});

const notRun = {
  ok: false,
  prompt: null,
  answer: null,
  callId: null,
  latencyMs: null,
  costUsd: null,
  keySource: null,
  evidence: {},
} as const;

interface Try {
  version: PublishedVersion;
  input: Record<string, unknown>;
  problems: Tried['problems'];
}

async function tryDraft(deps: DraftDeps, { version, input, problems }: Try): Promise<Tried> {
  const kinds = new Map(deps.resources.kinds.map((kind) => [kind.name, kind]));
  const kind = kinds.get(version.kind);
  const prompt = kind?.showPrompt?.(version, input) ?? null;
  const readiness = await kind?.isReady(version);
  if (!readiness?.ready) {
    return { ...notRun, problems, prompt, cause: readiness?.cause ?? 'unknown_kind: This kind is not run here.' };
  }
  const [callId, startedAt] = [newId(), deps.clock.now()];
  const context = { callId, payer: null, limitMs: version.timeoutSeconds * 1000, isTest: true };
  const outcome = await collectParts(await execute({ ...deps, kinds }, { version, input }, context));
  const { own, ...told } = outcome.evidence;
  const endedAt = deps.clock.now();
  const call = { callId, requestId: callId, version, callerUserId: version.ownerId, isTest: true, startedAt };
  const ending = outcome.ok ? ({ status: 'success' } as const) : toFailed(outcome);
  await recordCall(deps.database.system, toCallRecord(call, { ...ending, evidence: outcome.evidence, endedAt }));
  return {
    ok: outcome.ok,
    problems,
    cause: outcome.ok ? null : outcome.cause,
    prompt,
    answer: outcome.ok ? toShown(outcome) : null,
    callId,
    latencyMs: Math.round(endedAt - startedAt),
    costUsd: told.costUsd,
    keySource: told.keySource ?? null,
    evidence: own,
  };
}

function toFailed({ problem, cause }: Extract<Outcome, { ok: false }>) {
  return { status: 'failed', problem, cause } as const;
}

function toShown({ answer: { contentType, body } }: Awaited<ReturnType<typeof collectParts>> & { ok: true }): {
  contentType: string;
  json?: Json;
  base64?: string;
} {
  return body.type === 'json'
    ? { contentType, json: body.json }
    : { contentType, base64: Buffer.from(body.bytes).toString('base64') };
}

/** Shares its count with the owner's tests of what is published. */
export async function takeTest({ limiter }: DraftDeps, ownerId: string): Promise<void> {
  const { isAllowed, retryAfterSeconds } = await limiter.take(`test:${ownerId}`);
  if (!isAllowed) {
    throw new Problem('rate_limited', {
      detail: 'Tests are limited per minute.',
      headers: { 'Retry-After': String(retryAfterSeconds) },
    });
  }
}
