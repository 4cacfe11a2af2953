/** What can be added without touching anything else: kinds of resource, integrations, payment schemes, settlers and jobs. */
import type { Database } from '#database/index.ts';
import type { Durable } from '#durable/index.ts';
import { openOpenRouterInstant, openPromptTemplate, type ExecutionDeps } from '#execution/index.ts';
import { repairCosts, rerunExamples, type ExampleDeps, type Gateway, type RepairDeps } from '#gateway/index.ts';
import { discord, openRouter, telegram, type IntegrationService } from '#integrations/index.ts';
import type { Media } from '#media/index.ts';
import { refreshWanted, scheduleModelSync, type ModelsDeps } from '#models/index.ts';
import * as payments from '#payments/index.ts';
import type { ResourceKind } from '#resources/index.ts';
import type { Upstreams } from '#upstreams/index.ts';
import { forgetOld, scheduleRollup } from '#usage/index.ts';

/** Paid answers are kept this long for whoever sends the same payment again (docs/decisions/0006). */
const ANSWER_RETENTION_SECONDS = 3_600;
/** Longer than the time between two runs, so that no block is left out. */
const LEDGER_WINDOW_SECONDS = 720;

/** What an account can connect. A tuple, so that clients know what each service is given and shows. */
export const services = [openRouter, telegram, discord] as const satisfies readonly IntegrationService[];

/** What kinds are opened with: every upstream is among it. */
export type KindDeps = ExecutionDeps & Upstreams;

export function listKinds(deps: KindDeps): ResourceKind[] {
  return [openOpenRouterInstant(deps), openPromptTemplate(deps)];
}

export function listSchemes(): payments.Scheme[] {
  return [payments.exactEip155];
}

/** In order of preference. */
export function listSettlers(deps: payments.SettlerDeps): payments.Settler[] {
  return [...payments.openFacilitatorSettlers(deps), ...payments.openEmbeddedSettlers(deps)];
}

interface JobDeps {
  database: Database;
  gateway: Gateway;
  /** Runs examples as their owners' tests. */
  drafts: ExampleDeps;
  /** Asks what runs did cost that told nothing of it. */
  costs: RepairDeps;
  media: Media;
  notices: {
    send(): Promise<void>;
    watchMoney(): Promise<void>;
    watchCatalogue(): Promise<void>;
    expire(): Promise<void>;
  };
  models: ModelsDeps;
  /** Looks again at stored keys. */
  checkKeys(): Promise<number>;
  /** The same for the operator's. */
  checkPlatformKey(): Promise<void>;
  /** Resumes what was paused because it could not run. */
  resumeReady(): Promise<number>;
  payments: payments.Payments;
}

export function registerJobs(durable: Durable, deps: JobDeps): void {
  const minutes = 60_000;
  scheduleModelSync(durable, deps.models);
  scheduleRollup(durable, deps.database);
  durable.every({ name: 'integrations.check-keys', intervalMs: 3_000, run: () => deps.checkKeys() });
  durable.schedule({
    name: 'integrations.check-platform-key',
    cron: '20 */5 * * * *',
    run: () => deps.checkPlatformKey(),
  });
  durable.every({ name: 'resources.resume-ready', intervalMs: 3_000, run: () => deps.resumeReady() });
  durable.every({ name: 'models.refresh-endpoints', intervalMs: 10_000, run: () => refreshWanted(deps.models) });
  durable.every({ name: 'gateway.reconcile', intervalMs: 2_000, run: () => deps.gateway.reconcile() });
  durable.every({ name: 'gateway.resolve-pending', intervalMs: 2_000, run: () => deps.gateway.resolvePending() });
  durable.every({ name: 'gateway.carry-on-owed', intervalMs: 2_000, run: () => deps.gateway.carryOnOwed() });
  durable.every({ name: 'gateway.resume-runs', intervalMs: 2_000, run: () => deps.gateway.long.resumeRuns() });
  durable.every({ name: 'gateway.send-callbacks', intervalMs: 2_000, run: () => deps.gateway.long.sendCallbacks() });
  durable.every({ name: 'gateway.rerun-examples', intervalMs: 3_000, run: () => rerunExamples(deps.drafts) });
  durable.every({ name: 'gateway.repair-costs', intervalMs: 2_000, run: () => repairCosts(deps.costs) });
  durable.every({
    name: 'gateway.expire-answers',
    intervalMs: minutes,
    run: () => deps.gateway.expireAnswers(ANSWER_RETENTION_SECONDS),
  });
  durable.every({
    name: 'payments.watch-ledger',
    intervalMs: 10 * minutes,
    run: () => payments.watchLedger(deps, LEDGER_WINDOW_SECONDS, deps.gateway),
  });
  durable.every({ name: 'notices.send', intervalMs: 2_000, run: () => deps.notices.send() });
  durable.every({ name: 'notices.watch-money', intervalMs: minutes, run: () => deps.notices.watchMoney() });
  durable.every({
    name: 'notices.watch-catalogue',
    intervalMs: 60 * minutes,
    run: () => deps.notices.watchCatalogue(),
  });
  durable.every({ name: 'notices.expire', intervalMs: 60 * minutes, run: () => deps.notices.expire() });
  durable.every({ name: 'media.expire', intervalMs: 10 * minutes, run: () => deps.media.expire() });
  durable.schedule({ name: 'usage.forget-old', cron: '0 41 3 * * *', run: () => forgetOld(deps.database.system) });
  durable.schedule({ name: 'media.sweep', cron: '0 23 * * * *', run: () => deps.media.sweep() });
}
