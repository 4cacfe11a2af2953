import type { FieldProblem } from '#kit/index.ts';
import { reasonsOf } from '#payments/index.ts';
import { isMedia, type PublishedVersion } from '#resources/index.ts';
import { toInputProblem } from './admit.ts';
import type { CallOutcome } from './call-request.ts';
import type { PaidCall } from './call-record.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { isOurs } from './long-runs/is-ours.ts';
import { tooManyFiles } from './public-problem.ts';
import { refusePayment } from './refuse-payment.ts';
import { lastsLongEnough } from './run-limit.ts';

/** What a call is refused for before it is worked on; its payment is free again. */
export interface InputRefusal {
  reason: string;
  /** For the creator, where the reason does not tell. */
  cause?: string;
  outcome: CallOutcome;
  isLogged: boolean;
}

/** Longer than all files of one call may be fetched and measured; set aside where there may be some. */
export const FETCH_LIMIT_MS = 18_000;

export function hasFiles({ parameters }: Pick<PublishedVersion, 'parameters'>): boolean {
  return parameters.some(isMedia);
}

/**
 * The files of a call, fetched, checked and kept, once its payment was verified and before anything is done for it: nobody
 * has us fetch who could not pay, and nothing is charged for a file that cannot be used (docs/decisions/0034). A wallet
 * whose calls end here is limited like one whose payments are refused.
 */
export async function keepInputs(
  deps: GatewayDeps,
  call: PaidCall,
): Promise<{ ok: true; call: PaidCall } | { ok: false; refusal: InputRefusal }> {
  if (!hasFiles(call.version)) {
    return { ok: true, call };
  }
  const { version, callId, clientAddress, input } = call;
  const kept = await deps.inputs.keep({ ...version, callId, clientAddress, input });
  if (!kept.ok) {
    return { ok: false, refusal: 'busy' in kept ? refuseBusy() : refuseUnusable(kept.fields) };
  }
  if (!lastsLongEnough(deps, { ...version, settlementPoint: call.settlementPoint }, call.payment)) {
    // The fetch has used up what the payment was valid for beyond the run.
    const reason = reasonsOf(deps.payments, call.payment).expiresTooSoon;
    return { ok: false, refusal: { reason, outcome: refusePayment(deps, call, reason), isLogged: true } };
  }
  return { ok: true, call: { ...call, input: kept.input } };
}

/** Before a call that is paid already is written down: what came with its request. Fetched is with its run. */
export async function keepSent<Call extends Pick<PaidCall, 'version' | 'callId' | 'clientAddress' | 'input'>>(
  deps: Pick<GatewayDeps, 'inputs'>,
  call: Call,
): Promise<Call> {
  return hasFiles(call.version)
    ? { ...call, input: await deps.inputs.keepReachable({ ...call.version, ...call }, 'sent') }
    : call;
}

const replaceInput = `UPDATE calls SET input = $2 WHERE id = $1 AND state = 'fulfilling' AND runs = $3`;

/** For the run of a paid call: what its input only names is fetched, so that this run and all further ones have the same. */
export async function fetchMissing(deps: Pick<GatewayDeps, 'inputs' | 'database'>, call: PaidCall): Promise<PaidCall> {
  const { version, callId, input } = call;
  const isMissing = version.parameters.some(
    (parameter) => isMedia(parameter) && typeof input[parameter.name] === 'string',
  );
  if (!isMissing) {
    return call;
  }
  const kept = await deps.inputs.keepReachable({ ...version, ...call }, 'all');
  await deps.database.system.query(replaceInput, [callId, JSON.stringify(kept), call.run]);
  return { ...call, input: kept };
}

/** The call has ended here, and needs its files no more: answered whole, or without a charge. */
export async function forgetEnded(
  deps: Pick<GatewayDeps, 'inputs' | 'database' | 'processId'>,
  call: Pick<PaidCall, 'version' | 'callId' | 'isLong'>,
  ending: Promise<CallOutcome>,
): Promise<CallOutcome> {
  const outcome = await ending;
  const isOver =
    outcome.kind === 'answer'
      ? outcome.answer.body.type !== 'live'
      : outcome.kind === 'challenge' || (outcome.kind === 'problem' && outcome.charged === false);
  if (isOver && hasFiles(call.version) && (await isOurs(deps, call))) {
    // Nobody waits for it with an answer in hand.
    void deps.inputs.forget(call.callId);
  }
  return outcome;
}

/** A free call, or an owner's test: the same without a payment. Throws a Problem. */
export async function keepForRun(
  deps: Pick<GatewayDeps, 'inputs'>,
  asked: Parameters<GatewayDeps['inputs']['keep']>[0],
): Promise<Record<string, unknown>> {
  if (!hasFiles(asked)) {
    return asked.input;
  }
  const kept = await deps.inputs.keep({ ...asked, isFree: true });
  if (!kept.ok) {
    void deps.inputs.forget(asked.callId);
    throw 'busy' in kept ? tooManyFiles() : toInputProblem(kept.fields);
  }
  return kept.input;
}

/** The same for a run that is over when it resolves: its files are needed no more then, and nobody waits for that. */
export async function withFiles<Result>(
  deps: Pick<GatewayDeps, 'inputs'>,
  asked: Parameters<GatewayDeps['inputs']['keep']>[0],
  run: (input: Record<string, unknown>) => Promise<Result>,
): Promise<Result> {
  const input = await keepForRun(deps, asked);
  try {
    return await run(input);
  } finally {
    if (hasFiles(asked)) {
      void deps.inputs.forget(asked.callId);
    }
  }
}

function refuseUnusable(fields: readonly FieldProblem[]): InputRefusal {
  const outcome: CallOutcome = { kind: 'problem', problem: toInputProblem(fields), charged: false };
  const names = fields.map(({ path }) => path.slice(1)).join(', ');
  return {
    reason: 'unusable_input',
    cause: `The files of the input could not be used: ${names}.`,
    outcome,
    isLogged: true,
  };
}

/** No fault of the payer, and not counted as one. */
function refuseBusy(): InputRefusal {
  return {
    reason: 'unavailable',
    outcome: { kind: 'problem', problem: tooManyFiles(), charged: false },
    isLogged: false,
  };
}
