/**
 * Runs one version: renders its prompt, asks its upstream with the key that pays for it, and makes an outcome of the answer.
 * Invariants: a creator's key and prompt are never in an outcome; buyers get a neutral problem code, creators the cause;
 * images leave as stored files, never as base64; caller values replace tags literally, once; whatever a kind does, its
 * outcome or its parts end in time with an answer or a failure.
 */
export type { ExecutionDeps, KnownModel, PlatformKey } from './execution-deps.ts';
export { isCovered } from './find-key.ts';
export { execute } from './execute.ts';
export { openInputMedia } from './inputs/open-input-media.ts';
export type { InputMedia } from './inputs/open-input-media.ts';
export { openOpenRouterInstant } from './kinds/openrouter-instant.ts';
export { openPromptTemplate } from './kinds/prompt-template.ts';
export { quoteVersion } from './quote-version.ts';
export { awaitFirstOutput, collectParts, joinParts } from './read-parts.ts';
