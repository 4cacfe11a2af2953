/**
 * Runs one version: checks the files of its input, renders its prompt, asks its upstream with the key that pays for it, and
 * makes an outcome of the answer. Tells before what a call may cost.
 * Invariants: a creator's key and prompt are never in an outcome; buyers get a neutral problem code, creators the cause;
 * pictures, sounds and films leave as stored files, whole, never as base64; caller values replace tags literally, once; an
 * upstream is sent the bytes that were checked, never a buyer's URL; whatever a kind does, its outcome or its parts end in
 * time with an answer or a failure.
 */
export type { ExecutionDeps, KnownModel, PlatformKey } from './execution-deps.ts';
export { correctShare, findRunCost } from './find-run-cost.ts';
export type { RunCostDeps } from './find-run-cost.ts';
export { isCovered } from './find-key.ts';
export { execute } from './execute.ts';
export { openInputMedia } from './inputs/open-input-media.ts';
export type { InputMedia } from './inputs/open-input-media.ts';
export { openOpenRouterInstant } from './kinds/openrouter-instant.ts';
export { openPromptTemplate } from './kinds/prompt-template.ts';
export { awaitFirstOutput, collectParts, joinParts } from './read-parts.ts';
