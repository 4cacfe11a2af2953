/**
 * THE PAID CALL: joins resources, payments and execution, and is the only place that does.
 * Owns the table `calls` and its states. Invariants: a payment is held by one call at a time; a call moves only along
 * `transitions`; before money moves, the row holds the answer or what it takes to make it in any process; an unknown
 * settlement is never answered with a new challenge.
 */
export { MOST_BODY_BYTES, PLAIN_BODY_BYTES } from './body-limit.ts';
export { batchOutput } from './batches/batch-answer.ts';
export type {
  CallOutcome,
  CallRequest,
  CallStatus,
  EventsAsked,
  GivenAnswer,
  LivePart,
  PlacedPart,
  StreamPlace,
} from './call-request.ts';
export { compareModels } from './compare-models.ts';
export type { Callable } from './get-callable.ts';
export { rerunExamples } from './run-example.ts';
export type { ExampleDeps } from './run-example.ts';
export { runExamples } from './run-examples.ts';
export { STREAMS_KEPT } from './keep-streams.ts';
export { CALLBACK_HEADER } from './long-runs/answer-later.ts';
export { CALLS_CHANGED } from './long-runs/call-changes.ts';
export { withMedia } from './receipt-media.ts';
export { listOwed } from './list-owed.ts';
export { listUpstreamModels } from './list-upstream-models.ts';
export { repairCosts } from './repair-costs.ts';
export type { RepairDeps } from './repair-costs.ts';
export { testDraft } from './test-draft.ts';
export type { OwnerNews, ReachedCap } from './tell-owner.ts';
export { openGateway } from './open-gateway.ts';
export type { Gateway } from './open-gateway.ts';
export { quoteResource } from './quote-resource.ts';
export { getTrust, putTrust } from './trust-settings.ts';
