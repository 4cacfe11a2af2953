import { z } from 'zod';
import type { Caller, Scope } from './caller.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * A management operation, declared once and served by every surface (HTTP + OpenAPI, MCP, CLI, typed client).
 * `input` is one object: path parameters, query parameters and the JSON body merged (in this order of precedence).
 * `scope`: `public` needs nobody; `session` needs a signed-in person (no API key); the rest needs that scope.
 */
export interface Operation<Deps, Input extends z.ZodType, Output extends z.ZodType> {
  name: string;
  route: `${Method} /${string}`;
  summary: string;
  scope: 'public' | 'session' | Scope;
  input: Input;
  output: Output;
  /** HTTP status of success; 200 unless told. */
  status?: number;
  run(deps: Deps, caller: Caller, input: z.output<Input>): Promise<z.input<Output>>;
}

export function operation<Deps, Input extends z.ZodType, Output extends z.ZodType>(
  declared: Operation<Deps, Input, Output>,
): Operation<Deps, Input, Output> {
  return declared;
}

/** An operation with its dependencies given: what a surface needs to serve it. */
export type BoundOperation = Omit<Operation<never, z.ZodType, z.ZodType>, 'run'> & {
  run(caller: Caller, input: unknown): Promise<unknown>;
};

/**
 * Gives an operation its dependencies. The caller of `run` has parsed `input` with the operation's own schema, which
 * from here on refuses fields that it does not know: a misspelt filter must not mean "everything".
 */
export function bind<Deps, Input extends z.ZodType, Output extends z.ZodType>(
  declared: Operation<Deps, Input, Output>,
  deps: Deps,
): BoundOperation {
  return {
    ...declared,
    input: declared.input instanceof z.ZodObject ? declared.input.strict() : declared.input,
    run: (caller, input) => declared.run(deps, caller, input as z.output<Input>),
  };
}
