/** Last stage of the start: notifications, jobs, demo data and the HTTP server. */
import { createRequire } from 'node:module';
import {
  callRoute,
  checkReadiness,
  openLanding,
  openMetrics,
  openResourcePage,
  openModels,
  paidRoute,
  readContract,
  startServer,
} from '#api/index.ts';
import { API_KEYS_CHANGED, recordAudit } from '#accounts/index.ts';
import { listen, openLimiter, openTransact, type Tx } from '#database/index.ts';
import { openDurable } from '#durable/index.ts';
import { CALLS_CHANGED, STREAMS_KEPT } from '#gateway/index.ts';
import { callbackPath, finishConnect } from '#integrations/index.ts';
import { bind, systemClock as clock, type OperationPorts } from '#kit/index.ts';
import { fillCatalogue, findPricedModel, forgetModels, modelsChannel } from '#models/index.ts';
import { describeKind } from '#resources/index.ts';
import { SPEND_CAPS_CHANGED } from '#usage/index.ts';
import { onVaultChanged, VAULT_CHANGED } from '#vault/index.ts';
import { listOperations, type Operations } from './operations.ts';
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
    accounts: { clock, forgetKeys: () => accounts.forgetKeys() },
    models,
    resources: resourcesDeps,
    integrations,
    connect: domain.connect,
    platformShare: domain.platformShare,
    drafts: domain.drafts,
    gateway,
    notices: domain.notices.deps,
    secrets: { vault },
    usage: { database, clock, forgetCaps: () => domain.spend.forgetCaps() },
  });
  const ports: OperationPorts<Tx> = {
    transact: openTransact(database),
    recordAudit,
    limiter: openLimiter({ name: 'api', points: 600, seconds: 60 }),
    log,
  };
  await openJobs(infrastructure, domain, stack);
  await seed(infrastructure, domain, { ports, operations });
  const metrics = openMetrics();
  const authenticate = (headers: Headers) => accounts.authenticate(headers);
  const paidDeps = { gateway, trustedProxyHops: config.TRUSTED_PROXY_HOPS, log };
  const observe = (outcome: string, seconds?: number) => metrics.observeCall(outcome, seconds);
  const landing = openLanding({
    ports,
    resources: resourcesDeps,
    featured: config.FEATURED_RESOURCES,
    localNetworks: sandbox?.chain ? config.NETWORKS.filter((network) => !config.rpcUrls.has(network)) : [],
    writesTextAlone: async (name) =>
      (await findPricedModel(models, name))?.outputModalities.every((made) => made === 'text') ?? false,
  });
  const sandboxRoutes = toSandboxRoutes(sandbox);
  const pages = openLimiter({ name: 'pages', points: 300, seconds: 60 });
  const showPage = openResourcePage({ landing, publicUrl, isSandbox: 'sandbox' in sandboxRoutes, limiter: pages, log });
  const routes = [callRoute(paidDeps), paidRoute({ ...paidDeps, authenticate, observe, showPage })];
  const server = await startServer({
    host: config.HOST,
    port: infrastructure.ports.http,
    publicUrl,
    trustedOrigins: infrastructure.ownOrigins,
    closeWithinMs: CLOSE_WITHIN_MS,
    version,
    operations,
    ports,
    kinds: resourcesDeps.kinds.map((kind) => describeKind(resourcesDeps, kind)),
    authenticate,
    authHandler: (sent) => accounts.handler(sent),
    trustedProxyHops: config.TRUSTED_PROXY_HOPS,
    readiness: () => checkReadiness({ database, payments, isUpstreamUp: domain.isUpstreamUp }),
    openMedia: (id, link) => domain.media.open(id, link),
    takeUpload: async (sent) => ({ ...(await domain.media.takeUpload(sent)) }),
    connect: { callbackPath, operation: bind(finishConnect, domain.connect) },
    getContract: readContract(ports, resourcesDeps),
    landing,
    models: openModels({ ports, resources: resourcesDeps, gateway, publicUrl }),
    log,
    metrics,
    limits: {
      auth: openLimiter({ name: 'auth', points: 60, seconds: 60 }),
      pages,
      uploads: openLimiter({ name: 'uploads', points: 60, seconds: 3_600, database }),
      faucet: openLimiter({ name: 'faucet', points: 120, seconds: 60 }),
    },
    ...sandboxRoutes,
    paidRoute: (req, res) => routes.some((route) => route(req, res)),
  });
  stack.defer(() => server.close());
  stack.defer(() => gateway.long.stopWaiting());
}

async function openJobs(infrastructure: Infrastructure, domain: Domain, stack: AsyncDisposableStack): Promise<void> {
  const { database, databaseUrl: url, log, vault } = infrastructure;
  const channels = [
    'resources_changed',
    modelsChannel,
    VAULT_CHANGED,
    CALLS_CHANGED,
    STREAMS_KEPT,
    API_KEYS_CHANGED,
    SPEND_CAPS_CHANGED,
  ];
  const forget = (channel: string, payload: string): void => {
    if (channel === CALLS_CHANGED) {
      domain.gateway.long.onChanged(payload === '' ? undefined : payload);
    } else if (channel === modelsChannel) {
      forgetModels(domain.models);
      domain.gateway.forgetReadiness();
    } else if (channel === VAULT_CHANGED) {
      onVaultChanged(vault, payload);
      domain.gateway.forgetReadiness();
    } else if (channel === API_KEYS_CHANGED) {
      domain.accounts.forgetKeys();
    } else if (channel === SPEND_CAPS_CHANGED) {
      domain.spend.forgetCaps();
    } else if (channel === STREAMS_KEPT) {
      domain.gateway.onStreamsKept();
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
  registerJobs(durable, { database, ...domain });
  await durable.start();
  stack.defer(() => durable.stop());
}

/** First start: a catalogue to choose from, and in the sandbox something to call. */
async function seed(
  infrastructure: Infrastructure,
  domain: Domain,
  served: { ports: OperationPorts; operations: Operations },
): Promise<void> {
  const { sandbox, config } = infrastructure;
  await fillCatalogue(domain.models);
  if (sandbox?.openRouter) {
    const { seedDemo } = await import('#sandbox/index.ts');
    const apiKey = sandbox.openRouter.keys.healthy;
    await seedDemo({
      ...served,
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
