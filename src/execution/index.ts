/**
 * Runs one version: renders its prompt, asks its upstream with the key that pays for it, and makes an outcome of the answer.
 * Invariants: a creator's key and prompt are never in an outcome; buyers get a neutral problem code, creators the cause;
 * images leave as stored files, never as base64; caller values replace tags literally, once.
 */
export type { ExecutionDeps, KnownModel, PlatformKey } from './execution-deps.ts';
export { noEvidence } from './evidence.ts';
export { execute } from './execute.ts';
export { openOpenRouterInstant } from './kinds/openrouter-instant.ts';
export { openPromptTemplate } from './kinds/prompt-template.ts';
