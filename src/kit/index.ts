/** Words that every module may use: money, ids, errors, clock, JSON, addresses, callers, operations. Pure; owns no state. */
export { parseAddress, toChecksumAddress } from './address.ts';
export { anonymous, scopes } from './caller.ts';
export type { Caller, Scope, User } from './caller.ts';
export { systemClock } from './clock.ts';
export type { Clock } from './clock.ts';
export { Problem, problemKinds, toProblemJson } from './errors.ts';
export type { FieldProblem, ProblemCode } from './errors.ts';
export { explainIssue, toFieldProblems, toPointer } from './explain-issue.ts';
export { newId } from './ids.ts';
export { canonicalJson, sha256Hex } from './json.ts';
export type { Json } from './json.ts';
export { keccak256 } from './keccak256.ts';
export type { Log } from './log.ts';
export { formatUsdc, parseUsdc } from './money.ts';
export { bind, operation } from './operation.ts';
export type { BoundOperation, Operation } from './operation.ts';
