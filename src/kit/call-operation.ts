import { z } from 'zod';
import { assertKnown, assertScope } from './assert-scope.ts';
import type { Caller } from './caller.ts';
import { Problem } from './errors.ts';
import { explainIssue, toFieldProblems } from './explain-issue.ts';
import { keepFitting } from './keep-fitting.ts';
import type { Log } from './log.ts';
import { listCodes, type BoundOperation, type InTransaction } from './operation.ts';
import { toInvalidInput } from './parse-with.ts';
import { textOf } from './plain-value.ts';
import { takeUnit, type RateLimiter } from './rate-limiter.ts';
import { safeParse } from './safe-parse.ts';

/** Where a call came from. */
export interface Source {
  surface: 'http' | 'mcp' | 'cli' | 'system';
  requestId: string;
  /** Limits are counted by it; null is not limited. */
  clientAddress: string | null;
}

/** Who did what to what, and how it ended. Never inputs. */
export interface AuditEntry {
  caller: Caller;
  source: Source;
  operation: string;
  ids: Readonly<Record<string, string>>;
  /** `ok` or the problem code. */
  outcome: string;
}

type Opened<Tx> = Pick<InTransaction<Tx>, 'tx' | 'asSystem'>;

/** What carrying out an operation takes. */
export interface OperationPorts<Tx = unknown> {
  /** One transaction, bound to the caller; a read may be given one that cannot write. */
  transact<T>(as: { caller: Caller; isReadOnly: boolean }, work: (opened: Opened<Tx>) => Promise<T>): Promise<T>;
  recordAudit(tx: Tx, entry: AuditEntry): Promise<void>;
  /** None: unlimited. */
  limiter?: RateLimiter;
  log: Pick<Log, 'error'>;
}

type Lazy<T> = T | (() => T | Promise<T>);

export interface OperationCall<Input> {
  /** A function is asked after the limit was counted: guessing credentials is limited too. */
  caller: Lazy<Caller>;
  /** What the surface demands of who calls besides the scope; a refusal is audited. Throws a Problem. */
  assertCaller?(caller: Caller): void;
  /** A function is asked once the caller may do this: what strangers send is not read. */
  input: Lazy<Input>;
  source: Source;
  /** What the surface knows is meant before the input is read, such as the parameters of a path. For the audit log. */
  ids?: Readonly<Record<string, string>>;
}

const MAX_ID_LENGTH = 64;

/**
 * Carries out an operation, for every surface: limit, scope, input, `prepare`, then in one transaction `run`, the output's
 * schema and the audit row. A change whose audit row cannot be written is not made. A refused or failed change leaves an
 * audit row of its own; reads and requests of nobody known leave none.
 */
export async function callOperation<Called extends BoundOperation>(
  ports: OperationPorts,
  called: Called,
  call: OperationCall<z.input<Called['input']>>,
): Promise<z.output<Called['output']>> {
  await takeUnit(ports.limiter, call.source.clientAddress);
  const caller = await ask(call.caller);
  assertKnown(called.scope, caller);
  const attempt: Attempt = { ports, called, caller, source: call.source, ids: toIds(call.ids ?? {}) };
  let outcome: unknown;
  try {
    call.assertCaller?.(caller);
    assertScope(called.scope, caller);
    const input = await parseInput(attempt, await ask<unknown>(call.input));
    outcome = await perform({ ...attempt, ids: { ...readIds(called, input), ...attempt.ids } }, input);
  } catch (error) {
    await auditFailure(attempt, error);
    throw error;
  }
  if (outcome instanceof Problem) {
    throw outcome;
  }
  return outcome as z.output<Called['output']>;
}

interface Attempt {
  ports: OperationPorts;
  called: BoundOperation;
  caller: Caller;
  source: Source;
  ids: Record<string, string>;
}

/** Throws `invalid_input` with what the schema says, and what the operation says of the rest. */
async function parseInput({ called, caller }: Attempt, given: unknown): Promise<unknown> {
  const parsed = safeParse(called.input, given, { error: explainIssue });
  if (parsed.success) {
    return parsed.data;
  }
  const more = await called.findMore(caller, keepFitting(called.input, given));
  throw toInvalidInput([...toFieldProblems(parsed.error), ...more], nameFields(called, parsed.error));
}

/** Whoever has guessed the name of a field reads those that there are, but for what the path holds. */
function nameFields({ input, route }: BoundOperation, { issues }: z.ZodError): { next?: string } {
  const isGuessed = issues.some(({ code, path }) => code === 'unrecognized_keys' && path.length === 0);
  if (!isGuessed || !(input instanceof z.ZodObject)) {
    return {};
  }
  const names = Object.keys(input.shape).filter((name) => !route.split('/').includes(`:${name}`));
  const known = names.length === 0 ? 'There are none here.' : `Those that there are: ${names.join(', ')}.`;
  return { next: `Correct the names of the fields and send the request again. ${known}` };
}

/** @returns the output, or the Problem that `run` returned. */
async function perform(attempt: Attempt, input: unknown): Promise<unknown> {
  const { ports, called, caller } = attempt;
  const effects: (() => void)[] = [];
  const afterCommit = (effect: () => void): void => void effects.push(effect);
  try {
    const prepared = await called.prepare(caller, input);
    const outcome = await ports.transact({ caller, isReadOnly: !isChange(called) }, async (opened) => {
      const answered = await called.run({ ...opened, afterCommit, prepared }, caller, input);
      const isRefused = answered instanceof Problem;
      const output = isRefused ? answered : called.output.parse(answered);
      if (isChange(called)) {
        await ports.recordAudit(opened.tx, toEntry(attempt, isRefused ? answered.code : 'ok', output));
      }
      return output;
    });
    effects.forEach((effect) => attemptEffect(attempt, effect));
    reportUndeclared(attempt, outcome);
    return outcome;
  } catch (error) {
    reportUndeclared(attempt, error);
    throw error;
  }
}

/** The change is made already: an effect that fails keeps neither the others nor the answer back. */
function attemptEffect({ ports, called, source }: Attempt, effect: () => void): void {
  try {
    effect();
  } catch (err) {
    ports.log.error({ err, operation: called.name, requestId: source.requestId }, 'an effect after a commit failed');
  }
}

function isChange({ route }: BoundOperation): boolean {
  return !route.startsWith('GET ');
}

/** A transaction of its own: the first one is undone. Nothing was changed, so the refusal stands also without the row. */
async function auditFailure(attempt: Attempt, error: unknown): Promise<void> {
  const { ports, called, caller, source } = attempt;
  if (!isChange(called)) {
    return;
  }
  const entry = toEntry(attempt, error instanceof Problem ? error.code : 'internal');
  try {
    await ports.transact({ caller, isReadOnly: false }, ({ tx }) => ports.recordAudit(tx, entry));
  } catch (err) {
    ports.log.error({ err, requestId: source.requestId }, 'the audit row of a refused change could not be written');
  }
}

/** Documents and clients are made from the declaration: a code that is missing there is a defect. */
function reportUndeclared({ ports, called, source }: Attempt, outcome: unknown): void {
  if (outcome instanceof Problem && !listCodes(called).includes(outcome.code)) {
    const fields = { operation: called.name, undeclared: outcome.code, requestId: source.requestId };
    ports.log.error(fields, 'an operation answered with a problem that it does not declare');
  }
}

function toEntry({ caller, source, called, ids }: Attempt, outcome: string, output?: unknown): AuditEntry {
  const made = output !== null && typeof output === 'object' && 'id' in output ? output.id : undefined;
  const all = { ...(typeof made === 'string' ? toIds({ id: made }) : {}), ...ids };
  return { caller, source, operation: called.name, ids: all, outcome };
}

/** The parameters that the route names, out of an input that did not come by a path. */
function readIds({ route }: BoundOperation, input: unknown): Record<string, string> {
  const names = new Set([...route.matchAll(/:(\w+)/g)].map((found) => found[1]));
  const fields = Object.entries((input ?? {}) as Record<string, unknown>);
  return toIds(Object.fromEntries(fields.filter(([name]) => names.has(name))));
}

function toIds(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, textOf(value).slice(0, MAX_ID_LENGTH).toWellFormed()]),
  );
}

async function ask<T>(lazy: Lazy<T>): Promise<T> {
  return typeof lazy === 'function' ? (lazy as () => T | Promise<T>)() : lazy;
}
