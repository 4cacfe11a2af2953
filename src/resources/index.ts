/**
 * What creators publish: drafts, immutable versions, parameters, templates, and the kinds that run them.
 * Invariants: a version never changes once published; nothing public ever holds a config, a template or a pause cause;
 * what a version's inputSchema allows is exactly what parseInput accepts.
 */
export { parameterSchema } from './parameter.ts';
export type { Parameter } from './parameter.ts';
export { parseInput } from './parse-input.ts';
export type { ParsedInput } from './parse-input.ts';
export type {
  AnswerImage,
  Evidence,
  JsonSchema,
  Outcome,
  PublishedVersion,
  Readiness,
  ResourceKind,
  RunContext,
  SupersededOffer,
} from './resource-kind.ts';
export { compileTemplate, escapeTemplate, renderTemplate, toTemplateFieldProblems } from './template.ts';
export type { CompiledTemplate, TemplateProblem, TemplateResult } from './template.ts';
export { toInputExample, toInputSchema } from './to-input-schema.ts';
