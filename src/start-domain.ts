/** Second stage of the start: the domain, from accounts to the gateway. */
import { join } from 'node:path';
import { openAccounts } from '#accounts/index.ts';
import { keepSecret, openLimiter, type Tx } from '#database/index.ts';
import { isCovered, openInputMedia, type PlatformKey } from '#execution/index.ts';
import { openGateway } from '#gateway/index.ts';
import * as connections from '#integrations/index.ts';
import { systemClock as clock } from '#kit/index.ts';
import { openMedia } from '#media/index.ts';
import * as catalogue from '#models/index.ts';
import { checkPayTo, listPayable, openPayments, toSettlerAddress } from '#payments/index.ts';
import * as resources from '#resources/index.ts';
import { openS3, openUpstreams, postMessage, type Upstreams } from '#upstreams/index.ts';
import { getStats, listLastRuns, openSpendHold } from '#usage/index.ts';
import { toOpenRouterUrl, type Config } from './config.ts';
import { toMediaLimits, toS3Options } from './media-settings.ts';
import { listSchemes, listSettlers, services, type KindDeps } from './plugins.ts';
import type { Infrastructure } from './start-infrastructure.ts';
import { startNotices } from './start-notices.ts';

export type Domain = Awaited<ReturnType<typeof startDomain>>;

/** Opens the modules of the domain and connects them. `stack` closes them again. */
export async function startDomain(
  infrastructure: Infrastructure,
  listKinds: (deps: KindDeps) => resources.ResourceKind[],
  stack: AsyncDisposableStack,
) {
  const { config, database, vault, publicUrl, log, ownOrigins: trustedOrigins } = infrastructure;
  const upstreams = openClients(infrastructure, stack);
  const { openRouter } = upstreams;
  const adminEmails = config.ADMIN_EMAILS;
  const secret = vault.deriveKey('sessions').toString('hex');
  const accounts = openAccounts({ database, baseUrl: publicUrl, secret, adminEmails, trustedOrigins, clock });
  const { models, ports: catalogued } = openCatalogue(infrastructure, openRouter);
  const media = openFiles(infrastructure, stack);
  const payments = openPayments({ ...(await toPaymentOptions(infrastructure)), clock, log });
  stack.defer(() => payments.close());

  const published = resources.openPublished({ database, clock });
  const onChanged = (resourceId: string): void => published.onResourcesChanged(resourceId);
  const findStats = (tx: Tx, ids: string[]) => getStats(tx, ids, new Date(clock.now()));
  const { integrations, ...keys } = openKeys(infrastructure, upstreams);
  const pause = (request: resources.PauseRequest) => resources.pauseUnready(resourcesDeps, request);
  const execution: KindDeps = {
    ...upstreams,
    ...catalogued,
    ...keys.ports,
    media,
    listLastRuns: (asked) => listLastRuns(database.system, asked),
    pauseResource: (request) => pause({ ...request, by: 'fault' }),
    clock,
    log,
  };
  const kinds = listKinds(execution);
  const resourcesDeps: resources.ResourcesDeps = {
    database,
    kinds,
    payable: listPayable(payments, config.NETWORKS),
    checkPayTo: (network: string, text: string) => checkPayTo(payments, network, text),
    clock,
    publicUrl,
    findStats,
    findModelId: (name: string) => catalogue.findModelId(models, name),
    onChanged,
    isCovered: keys.isCovered,
    maxMediaRetentionSeconds: config.MEDIA_MAX_RETENTION_DAYS * 86_400,
  };
  const { findOperatorKeyProblem } = keys;
  const watched = { integrations, models, payments, resourcesDeps, findOperatorKeyProblem };
  const notices = startNotices(infrastructure, { upstreams, ...watched }, stack);
  const points = config.OWNER_CALLS_PER_MINUTE;
  const ownerLimiter = openLimiter({ name: 'owner', points, seconds: 60, database });
  const inputs = openInputMedia({ media, outbound: upstreams.files, log });
  const callbacks = toCallbacks(upstreams, vault.deriveKey('callbacks'));
  const spend = openSpendHold({ database, clock });
  const ports = { inputs, published, kinds, payments, pause, callbacks, ownerLimiter, spend, news: notices.news };
  const gateway = await openCalls(infrastructure, ports, stack);
  resourcesDeps.findRefusal = (resourceId) => gateway.findRefusal(resourceId);
  return {
    accounts,
    models,
    media,
    payments,
    published,
    resourcesDeps,
    integrations,
    connect: { ...integrations, consent: openRouter, publicUrl },
    platformShare: keys.platformShare,
    gateway,
    spend,
    notices,
    inputs,
    costs: { ...keys.ports, findGenerationCost: openRouter.getGenerationCost, database, log },
    drafts: { resources: resourcesDeps, ownerLimiter, published, inputs, database, clock, log },
    checkKeys: keys.check,
    checkPlatformKey: keys.checkPlatform,
    resumeReady: resources.openResumption({ ...resourcesDeps, log }),
    isUpstreamUp: () => openRouter.isUp(),
  };
}

type GatewayPorts = Pick<
  Parameters<typeof openGateway>[0],
  'inputs' | 'published' | 'payments' | 'pause' | 'callbacks' | 'ownerLimiter' | 'spend' | 'news'
> & { kinds: readonly resources.ResourceKind[] };

/** The paid call, and what it is held to. */
async function openCalls(
  { database, publicUrl, log }: Infrastructure,
  { kinds, ...ports }: GatewayPorts,
  stack: AsyncDisposableStack,
) {
  const gateway = await openGateway({
    ...ports,
    database,
    publicUrl,
    clock,
    log,
    kinds: new Map(kinds.map((kind) => [kind.name, kind])),
    limiter: openLimiter({ name: 'free', points: 30, seconds: 60, database }),
  });
  stack.defer(() => gateway.close());
  return gateway;
}

/** What runs reach. Buyers' files are never read from the origins that the operator opens to creators. */
function openClients({ config, sandbox, publicUrl, log }: Infrastructure, stack: AsyncDisposableStack): Upstreams {
  const openRouterUrl = toOpenRouterUrl(config, sandbox?.openRouter?.url);
  const fileOrigins = sandbox ? [openRouterUrl] : [];
  const allowedOrigins = [...fileOrigins, ...config.UPSTREAM_ORIGINS];
  return openUpstreams(
    {
      openRouterUrl,
      publicUrl,
      allowedOrigins,
      fileOrigins,
      webhookOrigins: config.WEBHOOK_ORIGINS,
      callbackOrigins: config.CALLBACK_ORIGINS,
      telegramUrl: config.TELEGRAM_API_URL,
      discordUrl: config.DISCORD_API_URL,
      log,
    },
    stack,
  );
}

const CALLBACK_WITHIN_MS = 15_000;

function toCallbacks({ callbacks }: Upstreams, key: Buffer): Parameters<typeof openGateway>[0]['callbacks'] {
  return {
    key,
    check: (url) => void callbacks.open(url),
    post: async (url, sent) => {
      const posted = await postMessage(callbacks, url, { ...sent, timeoutMs: CALLBACK_WITHIN_MS });
      return posted.ok ? posted.status : null;
    },
  };
}

/** The files of answers and the uploads: in an object store where there is one, or else in the data folder. */
function openFiles({ config, database, vault, publicUrl, folder, log }: Infrastructure, stack: AsyncDisposableStack) {
  const options = toS3Options(config);
  const s3 = options && openS3(options);
  stack.defer(() => s3?.close());
  return openMedia({
    database,
    folder: join(folder, 'media'),
    s3,
    signingKey: vault.deriveKey('media-urls'),
    publicUrl,
    clock,
    log,
    ...toMediaLimits(config),
  });
}

/** The models that there are, and what execution asks about them. */
function openCatalogue({ config, database, log }: Infrastructure, openRouter: Upstreams['openRouter']) {
  const models = catalogue.openModels({
    database,
    fetchCatalogue: () => openRouter.listModels(),
    fetchEndpoints: (id) => openRouter.listEndpoints(id),
    clock,
    log,
  });
  const ports: Pick<KindDeps, 'findModel' | 'refreshEndpoints' | 'findNearestModels' | 'creditFeePercent'> = {
    findModel: (id) => catalogue.findPricedModel(models, id),
    refreshEndpoints: (id) => catalogue.refreshEndpoints(models, id),
    findNearestModels: (name) => catalogue.findNearestModels(models, name),
    creditFeePercent: config.OPENROUTER_CREDIT_FEE_PERCENT,
  };
  return { models, ports };
}

/** The keys that runs are paid with: those of creators, those of single resources, and the operator's. */
function openKeys({ config, database, vault, log }: Infrastructure, clients: connections.IntegrationDeps['clients']) {
  const changes = connections.openChanges();
  const integrations: connections.IntegrationDeps = { vault, services, clients, changes };
  const dailyUsd = config.OPENROUTER_API_KEY_DAILY_USD;
  const budget = connections.openPlatformBudget({ database, clock, dailyUsd });
  const apiKey = config.OPENROUTER_API_KEY;
  const health = apiKey ? connections.openPlatformHealth({ database, clients, clock, log, apiKey }) : null;
  const platformKey = health && apiKey ? { apiKey, policy: toPolicy(config), budget, health } : null;
  const isNamed = (username: string) => platformKey !== null && isCovered(platformKey, username);
  const ports: Pick<
    KindDeps,
    'openCreatorKey' | 'explainMissingKey' | 'openUpstreamKey' | 'refuseCreatorKey' | 'checkCreatorKey' | 'platformKey'
  > = {
    openCreatorKey: (ownerId, service) => connections.openKey(integrations, { ownerId, service }),
    explainMissingKey: (ownerId, service) => connections.explainMissingKey(integrations, { ownerId, service }),
    openUpstreamKey: (resource) => resources.openResourceSecret({ vault }, resource),
    refuseCreatorKey: (ownerId, refused) => connections.refuseKey(integrations, { ownerId, ...refused }),
    checkCreatorKey: (ownerId, service) => void connections.checkKey({ ...integrations, log }, { ownerId, service }),
    platformKey,
  };
  return {
    integrations,
    ports,
    /** The operator's key is one of OpenRouter. */
    isCovered: (username: string, service: string) => service === connections.openRouter.name && isNamed(username),
    platformShare: {
      clock,
      platformKey: health && { dailyUsd, isCovered: isNamed, findOutage: () => health.findOutage() },
    },
    findOperatorKeyProblem: async () => (await health?.findProblem()) ?? null,
    checkPlatform: async () => {
      await health?.check();
      await budget.forgetOld();
    },
    check: () => connections.checkKeys({ ...integrations, log }),
  };
}

async function toPaymentOptions({ config, sandbox, folder }: Infrastructure) {
  const isOwnChain = sandbox !== null && sandbox.chain !== null;
  const rpcUrls = new Map(config.rpcUrls);
  if (isOwnChain) {
    config.NETWORKS.forEach((network) => rpcUrls.set(network, sandbox.chain?.rpcUrl ?? ''));
  }
  const settlerPrivateKeys = [...config.SETTLER_PRIVATE_KEYS];
  if (sandbox && settlerPrivateKeys.length === 0 && config.FACILITATOR_URLS.length === 0) {
    settlerPrivateKeys.push(`0x${await keepSecret(folder, 'settler-key')}`);
  }
  for (const key of isOwnChain ? settlerPrivateKeys : []) {
    await sandbox?.fund(toSettlerAddress(key));
  }
  return {
    schemes: listSchemes(),
    openSettlers: listSettlers,
    networks: config.NETWORKS,
    rpcUrls,
    facilitatorUrls: config.FACILITATOR_URLS,
    settlerPrivateKeys,
  };
}

function toPolicy({ OPENROUTER_API_KEY_CREATORS: creators }: Config): PlatformKey['policy'] {
  return creators.includes('*') ? 'everybody' : creators;
}
