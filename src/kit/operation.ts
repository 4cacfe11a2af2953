import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Access } from './assert-scope.ts';
import type { Caller } from './caller.ts';
import type { FieldProblem, Problem, ProblemCode } from './errors.ts';
import type { Fitting } from './keep-fitting.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What `run` is given besides its own dependencies. `Tx` is a connection with the operation's one transaction open on it. */
export interface InTransaction<Tx, Prepared = undefined> {
  /** Bound to the caller: row-level security shows a user only what is theirs. For nobody known it is the system's. */
  tx: Tx;
  /** The same transaction with the rights of the system meanwhile: for what is public or belongs to everybody. */
  asSystem<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Done after the commit, and only then: what this process remembers is out of date. */
  afterCommit(effect: () => void): void;
  /** What `prepare` returned. */
  prepared: Prepared;
}

type Given = keyof InTransaction<unknown>;
/** An operation's own dependencies: what is left without what `callOperation` gives. */
export type OwnDeps<Deps> = Omit<Deps, Given>;
type PreparedOf<Deps> = Deps extends { prepared: infer Prepared } ? Prepared : undefined;

/**
 * A management operation, declared once and served by every surface (HTTP + OpenAPI, typed client).
 * GET reads and may not change anything; the rest changes and is audited.
 */
export interface Operation<Deps, Input extends z.ZodType, Output extends z.ZodType, Name extends string = string> {
  name: Name;
  route: `${Method} /${string}`;
  summary: string;
  scope: Access;
  /** One object: path parameters, query parameters and the JSON body merged. Fields that it does not know are refused. */
  input: Input;
  /** Also the allow-list of what is answered. */
  output: Output;
  /** HTTP status of success; 200 unless told. */
  status?: number;
  /** The codes that it answers with besides those of every operation (`listCodes`). */
  problems?: readonly ProblemCode[];
  /** The answer is a file: `output` is then `fileOutput`. */
  file?: { contentType: string; fileName: string };
  /** Where the schema refuses an input: what stands against the fields that fit it, so that everything is told at once. */
  findMore?(deps: OwnDeps<Deps>, caller: Caller, kept: Fitting<z.output<Input>>): Promise<FieldProblem[]>;
  /** Before the transaction: what takes its time or asks the network. */
  prepare?(deps: OwnDeps<Deps>, caller: Caller, input: z.output<Input>): Promise<PreparedOf<Deps>>;
  /**
   * In one transaction. A Problem that is thrown undoes everything; one that is returned refuses the caller too, but
   * what was written is kept.
   */
  run(deps: Deps, caller: Caller, input: z.output<Input>): Promise<z.input<Output> | Problem>;
}

/** The answer of an operation with `file`. Read after the transaction, so it may not use it. */
export const fileOutput = z.custom<Readable>((value) => typeof value === 'object' && value !== null && 'pipe' in value);

export function operation<Deps, Input extends z.ZodType, Output extends z.ZodType, const Name extends string = string>(
  declared: Operation<Deps, Input, Output, Name>,
): Operation<Deps, Input, Output, Name> {
  return declared;
}

/** An operation with its dependencies given: what `callOperation` needs to carry it out. Its schemas keep their types. */
export interface BoundOperation<
  Name extends string = string,
  Input extends z.ZodType = z.ZodType,
  Output extends z.ZodType = z.ZodType,
> extends Omit<Operation<never, Input, Output, Name>, 'findMore' | 'prepare' | 'run'> {
  findMore(caller: Caller, kept: Fitting<unknown>): Promise<FieldProblem[]>;
  prepare(caller: Caller, input: unknown): Promise<unknown>;
  run(given: InTransaction<unknown, unknown>, caller: Caller, input: unknown): Promise<unknown>;
}

/** Gives an operation its dependencies. From here on unknown fields are refused: a misspelt filter must not mean "everything". */
export function bind<Deps, Input extends z.ZodType, Output extends z.ZodType, Name extends string>(
  declared: Operation<Deps, Input, Output, Name>,
  deps: OwnDeps<Deps>,
): BoundOperation<Name, Input, Output> {
  const input: z.ZodType = declared.input;
  return {
    ...declared,
    input: (input instanceof z.ZodObject ? input.strict() : input) as Input,
    findMore: async (caller, kept) => (await declared.findMore?.(deps, caller, kept)) ?? [],
    prepare: async (caller, given) => declared.prepare?.(deps, caller, given as z.output<Input>),
    run: (given, caller, parsed) => declared.run({ ...deps, ...given } as Deps, caller, parsed as z.output<Input>),
  };
}

/** What can come back from every operation; what only its surface can answer (a body that is too large, say) is not among it. */
const common: readonly ProblemCode[] = ['invalid_input', 'unauthenticated', 'rate_limited', 'internal'];

/** Every code that an operation may answer with. */
export function listCodes({ scope, problems = [] }: Pick<BoundOperation, 'scope' | 'problems'>): ProblemCode[] {
  return [...new Set([...common, ...(scope === 'public' ? [] : (['forbidden'] as const)), ...problems])];
}
