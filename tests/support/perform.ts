import type { z } from 'zod';
import { recordAudit } from '#accounts/index.ts';
import { openTransact, type Database, type Tx } from '#database/index.ts';
import {
  bind,
  callOperation,
  type Caller,
  type OperationPorts,
  type Operation,
  type OwnDeps,
  type Source,
} from '#kit/index.ts';

export const testSource: Source = { surface: 'system', requestId: 'of-a-test', clientAddress: null };

/** The product's own ports on a database of a test; what they report as a defect fails the test. */
export function openTestPorts(database: Database): OperationPorts<Tx> {
  return { transact: openTransact(database), recordAudit, log: { error: fail } };
}

/** For the log of the ports: a code that an operation does not declare, or an audit row that is lost. */
function fail(fields: object, message: string): never {
  throw new Error(`${message}: ${JSON.stringify(fields)}`);
}

/** Carries an operation out as every surface does. */
export function perform<Deps, Input extends z.ZodType, Output extends z.ZodType, Name extends string>(
  declared: Operation<Deps, Input, Output, Name>,
  [deps, caller, database]: [OwnDeps<Deps>, Caller, Database],
  input: z.input<Input>,
): Promise<z.output<Output>> {
  return callOperation(openTestPorts(database), bind(declared, deps), { caller, input, source: testSource });
}
