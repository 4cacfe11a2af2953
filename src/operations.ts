/** Every management operation, one line each. */
import { createApiKey, getAccount, listApiKeys, revokeApiKey } from '#accounts/index.ts';
import type { Database } from '#database/index.ts';
import { bind, type Clock } from '#kit/index.ts';
import { getModel, listModelChanges, listModels, triggerSync, type ModelsDeps } from '#models/index.ts';
import * as resources from '#resources/index.ts';
import { exportUsage, listUsage } from '#usage/index.ts';
import * as vault from '#vault/index.ts';

interface OperationDeps {
  accounts: { clock: Clock };
  models: ModelsDeps;
  resources: resources.ResourcesDeps;
  integrations: vault.IntegrationDeps;
  secrets: vault.ResourceSecretDeps;
  usage: { database: Database };
}

export type Operations = ReturnType<typeof listOperations>;

/** A tuple, so that each keeps its name and the types of its input and output. */
export function listOperations(deps: OperationDeps) {
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
    bind(resources.listKinds, deps.resources),
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
    bind(exportUsage, deps.usage),
  ] as const;
}
