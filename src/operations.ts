/** Every management operation, one line each. */
import { createApiKey, getAccount, listApiKeys, revokeApiKey } from '#accounts/index.ts';
import type { Database } from '#database/index.ts';
import {
  compareModels,
  getTrust,
  listUpstreamModels,
  putTrust,
  quoteResource,
  runExamples,
  testDraft,
  type ExampleDeps,
  type Gateway,
} from '#gateway/index.ts';
import {
  beginConnect,
  finishConnect,
  getPlatformShare,
  listIntegrations,
  toOperations,
  type ConnectDeps,
  type IntegrationDeps,
  type IntegrationService,
  type PlatformShareDeps,
} from '#integrations/index.ts';
import { bind, type Clock } from '#kit/index.ts';
import * as models from '#models/index.ts';
import * as notices from '#notices/index.ts';
import * as resources from '#resources/index.ts';
import * as usage from '#usage/index.ts';
import { services } from './plugins.ts';

interface OperationDeps {
  accounts: { clock: Clock; forgetKeys(): void };
  models: models.ModelsDeps;
  resources: resources.ResourcesDeps;
  integrations: IntegrationDeps;
  connect: ConnectDeps;
  platformShare: PlatformShareDeps;
  drafts: ExampleDeps;
  gateway: Pick<Gateway, 'quote'>;
  notices: notices.NoticesDeps;
  secrets: resources.ResourceSecretDeps;
  usage: { database: Database; clock: Clock; forgetCaps(): void };
}

export type Operations = ReturnType<typeof listOperations>;

/** A tuple, so that each keeps its name and the types of its input and output. */
export function listOperations(deps: OperationDeps) {
  return [
    bind(getAccount, deps.accounts),
    bind(listApiKeys, deps.accounts),
    bind(createApiKey, deps.accounts),
    bind(revokeApiKey, deps.accounts),
    bind(getTrust, {}),
    bind(putTrust, {}),
    bind(listIntegrations, deps.integrations),
    bind(beginConnect, deps.connect),
    bind(finishConnect, deps.connect),
    bind(getPlatformShare, deps.platformShare),
    ...services.flatMap((service) => listOperationsOf(service, deps)),
    bind(models.listModels, deps.models),
    bind(models.listModelChanges, deps.models),
    bind(models.getModel, deps.models),
    bind(models.listEndpoints, deps.models),
    bind(models.listPriceHistory, deps.models),
    bind(models.listSubstitutes, deps.models),
    bind(models.triggerSync, deps.models),
    bind(models.receiveEvent, deps.models),
    bind(resources.listKinds, deps.resources),
    bind(resources.createResource, deps.resources),
    bind(resources.listResources, deps.resources),
    bind(resources.getResource, deps.resources),
    bind(resources.updateResource, deps.resources),
    bind(testDraft, deps.drafts),
    bind(compareModels, deps.drafts),
    bind(resources.createExample, deps.resources),
    bind(resources.listExamples, {}),
    bind(runExamples, deps.drafts),
    bind(resources.deleteExample, {}),
    bind(listUpstreamModels, deps.drafts),
    bind(quoteResource, { gateway: deps.gateway }),
    bind(resources.validateResource, deps.resources),
    bind(resources.publishResource, deps.resources),
    bind(resources.pauseResource, deps.resources),
    bind(resources.resumeResource, deps.resources),
    bind(resources.archiveResource, deps.resources),
    bind(resources.listResourceVersions, deps.resources),
    bind(resources.getResourceVersion, deps.resources),
    bind(resources.diffResourceVersions, deps.resources),
    bind(resources.updateResourceVersion, deps.resources),
    bind(resources.rollBackResource, deps.resources),
    bind(resources.getCreatorResource, deps.resources),
    bind(resources.putResourceSecret, deps.secrets),
    bind(resources.deleteResourceSecret, deps.secrets),
    bind(notices.listNotices, {}),
    bind(notices.markRead, deps.notices),
    bind(notices.getPreferences, {}),
    bind(notices.putPreferences, {}),
    bind(notices.listChannels, deps.notices),
    bind(notices.testChannel, deps.notices),
    bind(notices.putEmail, deps.notices),
    bind(notices.getEmail, {}),
    bind(notices.confirmEmail, deps.notices),
    bind(notices.updateEmail, deps.notices),
    bind(notices.deleteEmail, {}),
    bind(notices.putWebhook, deps.notices),
    bind(notices.getWebhook, {}),
    bind(notices.updateWebhook, deps.notices),
    bind(notices.deleteWebhook, {}),
    bind(notices.listMails, deps.notices),
    bind(usage.listSpendCaps, {}),
    bind(usage.putSpendCap, { isOwnResource: resources.isOwnResource, forgetCaps: deps.usage.forgetCaps }),
    bind(usage.deleteSpendCap, {}),
    bind(usage.getSummary, deps.usage),
    bind(usage.getSeries, deps.usage),
    bind(usage.getBreakdown, deps.usage),
    bind(usage.listProblems, deps.usage),
    bind(usage.listUsage, deps.usage),
    bind(usage.exportUsage, deps.usage),
  ] as const;
}

type Service = (typeof services)[number];
/** Distributes over the services, so that each of them keeps what it takes and shows. */
type OperationsOf<One extends IntegrationService> =
  One extends IntegrationService<infer Given, infer Shown, infer Name>
    ? ReturnType<typeof listIntegrationOperations<Given, Shown, Name>>[number]
    : never;

/** The types of one service at a time: what the list is made of cannot tell of a union which of them it is given. */
function listOperationsOf<One extends Service>(service: One, deps: OperationDeps): readonly OperationsOf<One>[] {
  const untyped: IntegrationService = service;
  return listIntegrationOperations(untyped, deps) as unknown as readonly OperationsOf<One>[];
}

function listIntegrationOperations<Given extends object, Shown extends object, Name extends string>(
  service: IntegrationService<Given, Shown, Name>,
  deps: OperationDeps,
) {
  const operations = toOperations(service);
  return [
    bind(operations.put, deps.integrations),
    bind(operations.get, deps.integrations),
    bind(operations.update, deps.integrations),
    bind(operations.test, deps.integrations),
    bind(resources.listAffected(service), deps.resources),
    bind(operations.delete, deps.integrations),
  ] as const;
}
