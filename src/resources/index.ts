/**
 * What creators publish: drafts, immutable versions, parameters, templates, and the kinds that run them.
 * Invariants: a version never changes once published; nothing public ever holds a config, a template or a pause cause;
 * what a version's inputSchema allows is exactly what parseInput accepts; a slug once published stays with its resource.
 */
export { followModels } from './align-models.ts';
export { jsonAnswer, noEvidence } from './answer.ts';
export type {
  Answer,
  AnswerBody,
  AnswerPart,
  Evidence,
  Failure,
  JsonObject,
  MediaReference,
  Outcome,
  PartsEnd,
  WholeBody,
} from './answer.ts';
export { archiveResource, pauseResource, resumeResource } from './change-state.ts';
export { findOwnDraft } from './draft-version.ts';
export { callCost, estimateCall } from './estimate-cost.ts';
export { isSellable, judgeMargin } from './check-margin.ts';
export { judgeNetworks } from './judge-networks.ts';
export { forgetQuotes, quoteOf, quoteVersion, recallCases, recallQuote } from './quote-version.ts';
export { listInputs } from './batch-inputs.ts';
export { toBatch } from './batch-version.ts';
export { createExample } from './create-example.ts';
export { createResource } from './create-resource.ts';
export { deleteExample } from './delete-example.ts';
export { deleteResourceSecret } from './delete-resource-secret.ts';
export { measureUse } from './measure-use.ts';
export type { UseMeasure } from './measured-use.ts';
export { isMedia, MAX_MEDIA_BYTES, toMediaCaps } from './media-parameter.ts';
export type { MediaCaps, MediaParameter, MediaType } from './media-parameter.ts';
export { openPublished } from './find-published.ts';
export type { Published } from './find-published.ts';
export { followIntegration } from './follow-integration.ts';
export { getCreatorResource, getResource } from './get-resource.ts';
export { change } from './diff-values.ts';
export { diffResourceVersions } from './diff-versions.ts';
export { getResourceVersion } from './get-version.ts';
export { exampleRun, toExampleRun } from './example.ts';
export type { ExampleRunRow } from './example.ts';
export { beginExampleRun, endExampleRun, listMissingRuns, readExamples } from './example-runs.ts';
export type { KeptExample } from './example-runs.ts';
export { diffAnswers, listExamples } from './list-examples.ts';
export { listAffected } from './list-affected.ts';
export { describeKind, listKinds } from './list-kinds.ts';
export type { KindView } from './list-kinds.ts';
export { listResources } from './list-resources.ts';
export { toLowestPrice } from './lowest-price.ts';
export { listModelUses, quoteSold } from './list-model-uses.ts';
export { listSlugs, listSold } from './list-sold.ts';
export { listResourceVersions } from './list-versions.ts';
export { isRequired } from './parameter.ts';
export type { Parameter } from './parameter.ts';
export { parseInput } from './parse-input.ts';
export { isPricedByInput, priceLowest, priceOffers } from './price-offers.ts';
export { priceReplaced } from './price-replaced.ts';
export { isOwnResource } from './own-resource.ts';
export { pauseUnready } from './pause-unready.ts';
export type { PauseRequest } from './pause-unready.ts';
export { compilePattern, openPattern } from './safe-pattern.ts';
export { publishResource } from './publish-resource.ts';
export { putResourceSecret } from './put-resource-secret.ts';
export type {
  CostQuote,
  DraftExample,
  PublishedVersion,
  Readiness,
  ResourceKind,
  RunContext,
  SettlementPoint,
  Unpriced,
  VersionOffer,
} from './resource-kind.ts';
export { toSettlementPoints } from './resource-kind.ts';
export { openResumption } from './resume-ready.ts';
export { openResourceSecret } from './resource-secret.ts';
export type { ResourceSecretDeps } from './resource-secret.ts';
export type { ResourcesDeps, ResourceStats } from './resources-deps.ts';
export { rollBackResource } from './roll-back-resource.ts';
export { updateResourceVersion } from './update-version.ts';
export { compileTemplate, renderTemplate, toTemplateFieldProblems } from './template.ts';
export type { CompiledTemplate } from './template.ts';
export { MAX_USER_MESSAGE_LENGTH, toInputExample, toMaxLength, USER_MESSAGE } from './to-input-schema.ts';
export { updateResource } from './update-resource.ts';
export { validateResource } from './validate-resource.ts';
export { withoutCode } from './without-code.ts';
export { wrappedInput } from './wrapped-input.ts';
