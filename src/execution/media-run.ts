import type { JsonObject, MediaReference, Parameter } from '#resources/index.ts';
import { noFacts, type ChatFailure, type MediaFacts } from '#upstreams/index.ts';
import type { ChatSettings } from './chat-settings.ts';
import type { ExecutionDeps } from './execution-deps.ts';
import type { Attachments } from './inputs/attach-files.ts';
import type { MediaSettings } from './media-settings.ts';
import type { ModelRoute } from './model-route.ts';
import type { PaidRun } from './run-chat.ts';
import type { FileFailure } from './store-files.ts';

/** One call on a route that is no chat, ready to go. */
export interface MediaRun extends PaidRun {
  route: Exclude<ModelRoute, 'chat'>;
  /** As the catalogue names the model; the request may name more, such as how to route it. */
  modelId: string;
  settings: MediaSettings & Pick<ChatSettings, 'provider'>;
  /** The rendered templates as one text: what is drawn, spoken, embedded, filmed or looked for. */
  prompt: string;
  input: Record<string, unknown>;
  files: Attachments;
  parameters: readonly Parameter[];
}

/** How a run with an upstream ended. `refused`: for a reason of ours, such as a file that cannot be stored. */
export type Made =
  | { facts: MediaFacts; json: JsonObject; media: readonly MediaReference[] }
  /** `mayCost`: work was begun, so that a refusal does not say that nothing is billed. */
  | { facts: MediaFacts; failure: ChatFailure; mayCost?: boolean }
  | { facts: MediaFacts; refused: FileFailure };

export type RunRoute = (deps: ExecutionDeps, run: MediaRun) => Promise<Made>;

export function toCall({ key, context }: PaidRun) {
  return { apiKey: key.apiKey, signal: context.signal, deadlineMs: context.deadlineMs };
}

/** For what is known to be wrong before the upstream is asked. */
export const notAsked: MediaFacts = { ...noFacts, costUsd: '0', attempts: 0 };
