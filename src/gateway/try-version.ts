import { z } from 'zod';
import { collectParts, execute } from '#execution/index.ts';
import { newId, Problem, takeTurn, toBase64, type Json } from '#kit/index.ts';
import {
  measureUse,
  type Evidence,
  type Outcome,
  type PublishedVersion,
  type ResourcesDeps,
} from '#resources/index.ts';
import { recordCall } from '#usage/index.ts';
import { toCallRecord } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { withFiles } from './keep-inputs.ts';
import { testLimitMs } from './run-limit.ts';

export type TryDeps = Pick<GatewayDeps, 'database' | 'clock' | 'log' | 'ownerLimiter' | 'inputs'> & {
  resources: ResourcesDeps;
};

export const tried = z.object({
  /** Did it answer? */
  ok: z.boolean(),
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
  /** What a call of this use would be charged by the draft's measuredUse; null: not measured, or not known. */
  measuredUsdc: z.string().nullable(),
  /** Whose key paid. */
  keySource: z.enum(['own', 'platform']).nullable(),
  /** What the kind tells of the run, such as tokens and the model that answered. */
  evidence: z.record(z.string(), z.unknown()),
});

export type Tried = z.input<typeof tried>;

/** Where nothing was asked of the upstream. */
export const notRun = {
  ok: false,
  prompt: null,
  answer: null,
  callId: null,
  latencyMs: null,
  costUsd: null,
  measuredUsdc: null,
  keySource: null,
  evidence: {},
} as const;

interface Try {
  version: PublishedVersion;
  input: Record<string, unknown>;
}

/**
 * Runs a version once for its owner, through the same execution as every call: nothing is sold, nothing counted, the run
 * is logged as a test and costs what the model costs.
 */
export async function tryVersion(deps: TryDeps, { version, input }: Try): Promise<Tried> {
  const kinds = new Map(deps.resources.kinds.map((kind) => [kind.name, kind]));
  const kind = kinds.get(version.kind);
  const prompt = kind?.showPrompt?.(version, input) ?? null;
  const readiness = await kind?.isReady(version);
  if (!readiness?.ready) {
    return { ...notRun, prompt, cause: readiness?.cause ?? 'unknown_kind: This kind is not run here.' };
  }
  const [callId, startedAt] = [newId(), deps.clock.now()];
  const clientAddress = `test:${version.ownerId}`;
  const context = { callId, payer: null, limitMs: testLimitMs(version), isTest: true };
  const run = (kept: Try['input']) => execute({ ...deps, kinds }, { version, input: kept }, context).then(collectParts);
  const outcome = await withFiles(deps, { ...version, callId, clientAddress, input }, run).catch(underInput);
  const { own, ...told } = outcome.evidence;
  const endedAt = deps.clock.now();
  const call = { callId, requestId: callId, version, callerUserId: version.ownerId, isTest: true, startedAt };
  const ending = outcome.ok ? ({ status: 'success' } as const) : toFailed(outcome);
  await recordCall(deps.database.system, toCallRecord(call, { ...ending, evidence: outcome.evidence, endedAt }));
  return {
    ok: outcome.ok,
    cause: outcome.ok ? null : outcome.cause,
    prompt,
    answer: outcome.ok ? toShown(outcome) : null,
    callId,
    latencyMs: Math.round(endedAt - startedAt),
    costUsd: told.costUsd,
    measuredUsdc: outcome.ok ? toMeasured(version, outcome.evidence) : null,
    keySource: told.keySource ?? null,
    evidence: own,
  };
}

function toMeasured({ useMeasure }: PublishedVersion, { costUsd, own }: Evidence): string | null {
  const count = (name: string): number | null => (typeof own[name] === 'number' ? own[name] : null);
  const use = { costUsd, inputTokens: count('inputTokens'), outputTokens: count('outputTokens') };
  return useMeasure ? measureUse(useMeasure, use) : null;
}

/** The same problem, with paths into the request. */
function underInput(error: unknown): never {
  if (error instanceof Problem && error.fields) {
    const fields = error.fields.map(({ path, message }) => ({ path: `/input${path}`, message }));
    throw new Problem(error.code, { detail: error.message, fields });
  }
  throw error;
}

function toFailed({ problem, cause }: Extract<Outcome, { ok: false }>) {
  return { status: 'failed', problem, cause } as const;
}

function toShown({ answer: { contentType, body } }: Awaited<ReturnType<typeof collectParts>> & { ok: true }): {
  contentType: string;
  json?: Json;
  base64?: string;
} {
  return body.type === 'json' ? { contentType, json: body.json } : { contentType, base64: toBase64(body.bytes) };
}

/** Shares its count with the owner's tests of what is published. */
export function takeTest({ ownerLimiter }: Pick<TryDeps, 'ownerLimiter'>, ownerId: string): Promise<void> {
  return takeTurn(ownerLimiter, ownerId, 'Tests are limited per minute.');
}
