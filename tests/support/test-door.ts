import type { z } from 'zod';
import { recordAudit } from '#accounts/index.ts';
import { openTransact, type Database, type Tx } from '#database/index.ts';
import { bind, callOperation, type Caller, type Door, type Operation, type OwnDeps, type Source } from '#kit/index.ts';

export const testSource: Source = { surface: 'system', requestId: 'of-a-test', clientAddress: null };

/** The product's own door on a database of a test; what it reports as a defect fails the test. */
export function openTestDoor(database: Database): Door<Tx> {
  return { transact: openTransact(database), recordAudit, log: { error: fail } };
}

/** For a door's log: a code that an operation does not declare, or an audit row that is lost. */
function fail(fields: object, message: string): never {
  throw new Error(`${message}: ${JSON.stringify(fields)}`);
}

/** Carries an operation out as every surface does. */
export function perform<Deps, Input extends z.ZodType, Output extends z.ZodType, Name extends string>(
  declared: Operation<Deps, Input, Output, Name>,
  [deps, caller, database]: [OwnDeps<Deps>, Caller, Database],
  input: z.input<Input>,
): Promise<z.output<Output>> {
  return callOperation(openTestDoor(database), bind(declared, deps), { caller, input, source: testSource });
}
