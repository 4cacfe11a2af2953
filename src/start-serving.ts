/** Last stage of the start: notifications, jobs, demo data and the HTTP server. */
import { createRequire } from 'node:module';
import {
  checkReadiness,
  openLanding,
  openLimiter,
  openMetrics,
  paidRoute,
  recordAudit,
  startServer,
} from '#api/index.ts';
import { listen } from '#database/index.ts';
import { openDurable } from '#durable/index.ts';
import { systemClock as clock, type BoundOperation } from '#kit/index.ts';
import { fillCatalogue, forgetModels, modelsChannel } from '#models/index.ts';
import { streamUsageCsv } from '#usage/index.ts';
import { onVaultChanged, VAULT_CHANGED } from '#vault/index.ts';
import { listOperations } from './operations.ts';
import { registerJobs } from './plugins.ts';
import type { Domain } from './start-domain.ts';
import type { Infrastructure } from './start-infrastructure.ts';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** A run may last 600 s; a stop must not cut off a call that is being paid. */
const CLOSE_WITHIN_MS = 610_000;

export async function startServing(
  infrastructure: Infrastructure,
  domain: Domain,
  stack: AsyncDisposableStack,
): Promise<void> {
  const { config, database, vault, publicUrl, log, sandbox } = infrastructure;
  const { accounts, models, resourcesDeps, integrations, gateway, payments } = domain;
  const operations = listOperations({
    accounts: { database, clock },
    models,
    resources: resourcesDeps,
    integrations,
    secrets: { database, vault },
    usage: { database },
  });
  await openJobs(infrastructure, domain, stack);
  await seed(infrastructure, domain, operations);
  const metrics = openMetrics();
  const authenticate = (headers: Headers) => accounts.authenticate(headers);
  const server = await startServer({
    host: config.HOST,
    port: infrastructure.ports.http,
    publicUrl,
    closeWithinMs: CLOSE_WITHIN_MS,
    version,
    operations,
    authenticate,
    authHandler: (request, clientAddress) => accounts.handler(request, { clientAddress }),
    trustedProxyHops: config.TRUSTED_PROXY_HOPS,
    readiness: () => checkReadiness({ database, payments, isUpstreamUp: domain.isUpstreamUp }),
    readImage: (id, link) => domain.media.readImage(id, link),
    usageCsv: (caller, filters) => streamUsageCsv({ database }, caller, filters),
    landing: openLanding(resourcesDeps),
    recordAudit: (entry) => recordAudit(database.system, entry),
    log,
    metrics,
    limits: {
      api: openLimiter({ name: 'api', points: 600, seconds: 60 }),
      auth: openLimiter({ name: 'auth', points: 60, seconds: 60 }),
      faucet: openLimiter({ name: 'faucet', points: 120, seconds: 60 }),
    },
    ...toSandboxRoutes(sandbox),
    paidRoute: paidRoute({
      gateway,
      authenticate,
      trustedProxyHops: config.TRUSTED_PROXY_HOPS,
      log,
      observe: (outcome, seconds) => metrics.observeCall(outcome, seconds),
    }),
  });
  stack.defer(() => server.close());
}

async function openJobs(infrastructure: Infrastructure, domain: Domain, stack: AsyncDisposableStack): Promise<void> {
  const { databaseUrl: url, log, vault } = infrastructure;
  const channels = ['resources_changed', modelsChannel, VAULT_CHANGED];
  const forget = (channel: string, payload: string): void => {
    if (channel === modelsChannel) {
      forgetModels(domain.models);
    } else if (channel === VAULT_CHANGED) {
      onVaultChanged(vault, payload);
    } else if (payload === '') {
      domain.published.dropAll();
    } else {
      domain.published.onResourcesChanged(payload);
    }
  };
  const listening = await listen({
    url,
    channels,
    onNotify: forget,
    onReconnect: () => channels.forEach((channel) => forget(channel, '')),
    onError: (err) => log.warn({ err }, 'notifications were interrupted'),
  });
  stack.defer(() => listening.close());
  const durable = openDurable({ url, log, name: 'farebox' });
  registerJobs(durable, domain);
  await durable.start();
  stack.defer(() => durable.stop());
}

/** First start: a catalogue to choose from, and in the sandbox something to call. */
async function seed(
  infrastructure: Infrastructure,
  domain: Domain,
  operations: readonly BoundOperation[],
): Promise<void> {
  const { sandbox, config } = infrastructure;
  await fillCatalogue(domain.models);
  if (sandbox?.openRouter) {
    const { seedDemo } = await import('#sandbox/index.ts');
    const apiKey = sandbox.openRouter.keys.healthy;
    await seedDemo({
      operations,
      apiKey,
      ensureUser: (user) => domain.accounts.ensureUser(user),
      network: config.NETWORKS[0] ?? '',
    });
  }
}

function toSandboxRoutes(sandbox: Infrastructure['sandbox']) {
  if (!sandbox?.describe || !sandbox.faucet) {
    return {};
  }
  const { describe, faucet } = sandbox;
  return { sandbox: { describe, faucet: async (address: string) => ({ ...(await faucet.send(address)) }) } };
}
