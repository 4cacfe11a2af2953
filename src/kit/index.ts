/**
 * Words that every module may use: money, ids, errors, clock, JSON, addresses, names in URLs, callers and where they come
 * from, operations and the one way to call them. Pure; owns no state.
 */
export { parseAddress, toChecksumAddress } from './address.ts';
export { assertScope, assertUser } from './assert-scope.ts';
export { openByteBudget } from './byte-budget.ts';
export type { ByteBudget } from './byte-budget.ts';
export { callOperation } from './call-operation.ts';
export type { AuditEntry, OperationPorts, Source } from './call-operation.ts';
export { anonymous, onBehalfOf, scopes, vias } from './caller.ts';
export type { Caller, Scope, User } from './caller.ts';
export { systemClock } from './clock.ts';
export type { Clock } from './clock.ts';
export { decodeBase64, decodeDataUrl, isDataUrl, toBase64, toDataUrl } from './data-url.ts';
export { decimalText } from './decimal-text.ts';
export { isProblemCode, Problem, problemKinds, toProblemJson } from './errors.ts';
export type { FieldProblem, ProblemCode } from './errors.ts';
export type { ExactNumber } from './exact-number.ts';
export { isExactNumber, MAX_NUMBER_LENGTH, parseExactJson, readNumber } from './exact-number.ts';
export { gather } from './gather.ts';
export { openMemory } from './open-memory.ts';
export { explainIssue, toFieldProblems, UNKNOWN_FIELD } from './explain-issue.ts';
export { isUuid, newId, parseUuid } from './ids.ts';
export { isObject, toObject } from './is-object.ts';
export { safeParse } from './safe-parse.ts';
export { numberOf, textOf } from './plain-value.ts';
export { assertOwnOrigin, judgeOrigin } from './judge-origin.ts';
export { canonicalJson, sha256Hex } from './json.ts';
export type { Json } from './json.ts';
export { escapePointer, splitPointer, toPointer } from './json-pointer.ts';
export { keccak256 } from './keccak256.ts';
export type { Log } from './log.ts';
export { findUsdc, formatUsdc, parseUsdc } from './money.ts';
export { bind, fileOutput, listCodes, operation } from './operation.ts';
export type { BoundOperation, InTransaction, Operation, OwnDeps } from './operation.ts';
export { parseWith, toInvalidInput } from './parse-with.ts';
export { takeTurn, takeUnit } from './rate-limiter.ts';
export type { RateLimiter } from './rate-limiter.ts';
export {
  isSlug,
  isUsername,
  MAX_SLUG_LENGTH,
  MAX_USERNAME_LENGTH,
  MIN_USERNAME_LENGTH,
  parseResourcePath,
  toBatchUrl,
  toPinnedSlug,
  slugPattern,
  toResourcePath,
  toResourceUrl,
} from './resource-path.ts';
export { signWebhook, toWebhookSecret } from './sign-webhook.ts';
export { toLine } from './to-line.ts';
export { toNetwork } from './to-network.ts';
