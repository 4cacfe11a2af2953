/** Last stage of the start: demo data, jobs, notifications and the HTTP server. From here on the world comes in. */
import { createRequire } from 'node:module';
import { checkReadiness, openLanding, openMetrics, paidRoute, startServer } from '#api/index.ts';
import { recordAudit } from '#accounts/index.ts';
import { listen, openLimiter, openTransact, type Tx } from '#database/index.ts';
import { openDurable } from '#durable/index.ts';
import { systemClock as clock, type Door } from '#kit/index.ts';
import { forgetModels, modelsChannel, readSnapshot, SNAPSHOT_TRIGGER, syncModels } from '#models/index.ts';
import { describeKind } from '#resources/index.ts';
import { onVaultChanged, VAULT_CHANGED } from '#vault/index.ts';
import type { Ground } from './ground.ts';
import { listOperations, type Operations } from './operations.ts';
import { registerJobs } from './plugins.ts';
import type { Rooms } from './rooms.ts';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** A run may last 600 s; a stop must not cut off a call that is being paid. */
const CLOSE_WITHIN_MS = 610_000;

export async function openDoors(ground: Ground, rooms: Rooms, stack: AsyncDisposableStack): Promise<void> {
  const { config, database, vault, publicUrl, log, sandbox } = ground;
  const { accounts, models, resourcesDeps, integrations, gateway, payments } = rooms;
  const operations = listOperations({
    accounts: { clock },
    models,
    resources: resourcesDeps,
    integrations,
    secrets: { vault },
    usage: { database },
  });
  const door: Door<Tx> = {
    transact: openTransact(database),
    recordAudit,
    limiter: openLimiter({ name: 'api', points: 600, seconds: 60 }),
    log,
  };
  await openJobs(ground, rooms, stack);
  await seed(ground, rooms, { door, operations });
  const metrics = openMetrics();
  const authenticate = (headers: Headers) => accounts.authenticate(headers);
  const server = await startServer({
    host: config.HOST,
    port: ground.ports.http,
    publicUrl,
    closeWithinMs: CLOSE_WITHIN_MS,
    version,
    operations,
    door,
    kinds: resourcesDeps.kinds.map(describeKind),
    authenticate,
    authHandler: (request, clientAddress) => accounts.handler(request, { clientAddress }),
    trustedProxyHops: config.TRUSTED_PROXY_HOPS,
    readiness: () => checkReadiness({ database, payments, isUpstreamUp: rooms.isUpstreamUp }),
    readImage: (id, link) => rooms.media.readImage(id, link),
    landing: openLanding(door, resourcesDeps),
    log,
    metrics,
    limits: {
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

async function openJobs(ground: Ground, rooms: Rooms, stack: AsyncDisposableStack): Promise<void> {
  const { databaseUrl: url, log, vault } = ground;
  const channels = ['resources_changed', modelsChannel, VAULT_CHANGED];
  const forget = (channel: string, payload: string): void => {
    if (channel === modelsChannel) {
      forgetModels(rooms.models);
    } else if (channel === VAULT_CHANGED) {
      onVaultChanged(vault, payload);
    } else if (payload === '') {
      rooms.published.dropAll();
    } else {
      rooms.published.onResourcesChanged(payload);
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
  registerJobs(durable, rooms);
  await durable.start();
  stack.defer(() => durable.stop());
}

/** First start: a catalogue to choose from, and in the sandbox something to call. */
async function seed(ground: Ground, rooms: Rooms, served: { door: Door; operations: Operations }): Promise<void> {
  const { sandbox, config } = ground;
  await fillCatalogue(ground, rooms);
  if (sandbox?.openrouter) {
    const { seedDemo } = await import('#sandbox/index.ts');
    const apiKey = sandbox.openrouter.keys.healthy;
    await seedDemo({
      ...served,
      apiKey,
      ensureUser: (user) => rooms.accounts.ensureUser(user),
      network: config.NETWORKS[0] ?? '',
    });
  }
}

/** Offline, the catalogue that ships has to do; each start tries to replace it, and so does the schedule. */
async function fillCatalogue({ database, log }: Ground, { models }: Rooms): Promise<void> {
  const { rows } = await database.system.query<{ isEmpty: boolean; last: string | null }>(
    `SELECT NOT EXISTS (SELECT FROM ai_models) AS "isEmpty",
            (SELECT trigger FROM ai_model_syncs WHERE status = 'applied' ORDER BY number DESC LIMIT 1) AS last`,
  );
  const isEmpty = rows[0]?.isEmpty === true;
  if (!isEmpty && rows[0]?.last !== SNAPSHOT_TRIGGER) {
    return;
  }
  try {
    await syncModels(models, { trigger: 'start' });
  } catch (err) {
    const { takenAt, models: listed } = await readSnapshot();
    log.warn(
      { err },
      `the model catalogue cannot be read; the one of ${takenAt} that ships serves until a sync succeeds`,
    );
    if (isEmpty) {
      await syncModels({ ...models, fetchCatalogue: async () => listed }, { trigger: SNAPSHOT_TRIGGER });
    }
  }
}

function toSandboxRoutes(sandbox: Ground['sandbox']) {
  if (!sandbox?.describe || !sandbox.faucet) {
    return {};
  }
  const { describe, faucet } = sandbox;
  return { sandbox: { describe, faucet: async (address: string) => ({ ...(await faucet.send(address)) }) } };
}
