/** Every management operation, one line each. */
import { createApiKey, getAccount, listApiKeys, revokeApiKey } from '#accounts/index.ts';
import type { Database } from '#database/index.ts';
import { bind, type BoundOperation, type Clock } from '#kit/index.ts';
import { getModel, listModelChanges, listModels, triggerSync, type ModelsDeps } from '#models/index.ts';
import * as resources from '#resources/index.ts';
import { listUsage } from '#usage/index.ts';
import * as vault from '#vault/index.ts';

interface OperationDeps {
  accounts: { database: Database; clock: Clock };
  models: ModelsDeps;
  resources: resources.ResourcesDeps;
  integrations: vault.IntegrationDeps;
  secrets: vault.ResourceSecretDeps;
  usage: { database: Database };
}

export function listOperations(deps: OperationDeps): BoundOperation[] {
  return [
    bind(getAccount, deps.accounts),
    bind(listApiKeys, deps.accounts),
    bind(createApiKey, deps.accounts),
    bind(revokeApiKey, deps.accounts),
    bind(vault.putOpenrouter, deps.integrations),
    bind(vault.getOpenrouter, deps.integrations),
    bind(vault.updateOpenrouter, deps.integrations),
    bind(vault.testOpenrouter, deps.integrations),
    bind(vault.listAffected, deps.integrations),
    bind(vault.deleteOpenrouter, deps.integrations),
    bind(listModels, deps.models),
    bind(listModelChanges, deps.models),
    bind(getModel, deps.models),
    bind(triggerSync, deps.models),
    bind(resources.createResource, deps.resources),
    bind(resources.listResources, deps.resources),
    bind(resources.getResource, deps.resources),
    bind(resources.updateResource, deps.resources),
    bind(resources.publishResource, deps.resources),
    bind(resources.pauseResource, deps.resources),
    bind(resources.resumeResource, deps.resources),
    bind(resources.archiveResource, deps.resources),
    bind(resources.listResourceVersions, deps.resources),
    bind(resources.getCreatorResource, deps.resources),
    bind(vault.putResourceSecret, deps.secrets),
    bind(vault.deleteResourceSecret, deps.secrets),
    bind(listUsage, deps.usage),
  ];
}
