/** Opens what accounts are told and connects it with the modules that are watched. */
import { setImmediate as letOthers } from 'node:timers/promises';
import { Big } from 'big.js';
import { listOperators } from '#accounts/index.ts';
import { openLimiter } from '#database/index.ts';
import { listOwed, type OwnerNews, type ReachedCap } from '#gateway/index.ts';
import * as connections from '#integrations/index.ts';
import { systemClock as clock } from '#kit/index.ts';
import * as catalogue from '#models/index.ts';
import * as notices from '#notices/index.ts';
import { listGas, type Payments } from '#payments/index.ts';
import * as resources from '#resources/index.ts';
import { openMail, type Upstreams } from '#upstreams/index.ts';
import { listErrorRates, listLosses, listUsedCaps, readCapUse, type CapUse } from '#usage/index.ts';
import { toMailOptions } from './notice-settings.ts';
import type { Infrastructure } from './start-infrastructure.ts';

/** Of one run of the job. */
const MOST_TURNS = 50;

interface Watched {
  integrations: connections.IntegrationDeps;
  models: catalogue.ModelsDeps;
  payments: Payments;
  resourcesDeps: resources.ResourcesDeps;
  /** Null where the operator's key works, or there is none. */
  findOperatorKeyProblem(): Promise<string | null>;
}

export type Notices = ReturnType<typeof startNotices>;

/** `stack` closes what is opened. Told of changes from here on, each in its own transaction. */
export function startNotices(
  infrastructure: Infrastructure,
  { upstreams, ...watched }: Watched & { upstreams: Upstreams },
  stack: AsyncDisposableStack,
) {
  const { config, database, vault, publicUrl, log } = infrastructure;
  const deps: notices.NoticesDeps = {
    database,
    vault,
    clock,
    log,
    publicUrl,
    mail: openMailClient(infrastructure, stack),
    webhooks: upstreams.webhooks,
    telegram: upstreams.telegram,
    discord: upstreams.discord,
    chats: toChats(watched.integrations),
    limits: {
      tests: openLimiter({ name: 'notice-tests', points: 20, seconds: 3_600, database }),
      codes: openLimiter({ name: 'notice-codes', points: 5, seconds: 86_400, database }),
    },
  };
  const sources = toSources({ ...watched, log }, config.ADMIN_EMAILS);
  follow(watched, sources);
  const watching = { ...deps, sources };
  return {
    deps,
    news: openNews(deps, { ...watched.resourcesDeps, log }),
    send: async () => {
      await repeat(() => notices.spreadNotices(deps));
      await repeat(() => notices.sendDue(deps));
    },
    watchMoney: () => notices.watchMoney(watching),
    watchCatalogue: () => notices.watchCatalogue(watching),
    expire: () => notices.expireNotices(deps, config.NOTICE_RETENTION_DAYS),
  };
}

/** Until there is nothing more to do, but never for ever: the next turn goes on. */
async function repeat(work: () => Promise<number>): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS && (await work()) > 0; turn += 1);
}

/** What depends on a key or a model follows the change; then its owner is told, in the same transaction. */
function follow({ integrations, models, resourcesDeps }: Watched, sources: notices.WatchSources): void {
  resourcesDeps.tellSale = (tx, change) => notices.tellSale({ tx, clock }, change);
  integrations.changes.subscribe(async (tx, change) => {
    const reaction = await resources.followIntegration(resourcesDeps, tx, change);
    const provider = integrations.services.find(({ name }) => name === change.service)?.provider ?? change.service;
    await notices.tellConnection({ tx, clock }, { ...change, ...reaction, provider });
    return reaction;
  });
  models.follow = async (tx, synced) => {
    const affected = await resources.followModels(resourcesDeps, tx, synced);
    await notices.tellCatalogue({ tx, clock, sources }, synced);
    return affected;
  };
}

type Sold = resources.ResourcesDeps & Pick<Infrastructure, 'log'>;

/** What stops a sale and pauses nothing. No connection is held while costs are told. */
function openNews({ database, clock: now }: notices.NoticesDeps, sold: Sold): OwnerNews {
  const to = { tx: database.system, clock: now };
  return {
    tellCap: async (reached) => {
      const use = await readCapUse(database.system, reached.cap);
      if (use === null) {
        return false;
      }
      const [cap] = await nameSubjects(database.system, [use]);
      const { slug, worstUsd, runs } = reached;
      const stopped = await listStopped(sold, reached, use);
      await (cap &&
        notices.tellCapReached(to, { ...use, ...cap, refused: { slug, worstUsd, runs }, resources: stopped }));
      return cap !== undefined;
    },
    tellRefused: async (refused) => {
      await notices.tellRefused(to, refused);
      return true;
    },
  };
}

/** The slugs of what does not fit any more: of a cap of the key all that may cost more than is left. */
async function listStopped(sold: Sold, { ownerId, slug, runs }: ReachedCap, use: CapUse): Promise<string[]> {
  const stopped = new Set(use.scope !== 'payer' && runs === 1 ? [slug] : []);
  const left = new Big(use.perDayUsd).minus(use.spentUsd);
  for await (const page of use.scope === 'key' ? resources.listSold(sold, sold.database.system, ownerId) : []) {
    for (const one of page) {
      const worstUsd = (await one.quote())?.worstUsd;
      await letOthers();
      if (worstUsd !== undefined && left.lt(worstUsd)) {
        stopped.add(one.slug);
      }
    }
  }
  return [...stopped];
}

/** What its owner calls a resource that a cap counts for. */
async function nameSubjects(
  tx: Parameters<typeof resources.listSlugs>[0],
  caps: readonly CapUse[],
): Promise<(CapUse & { subjectId: string })[]> {
  const ids = caps.flatMap(({ scope, subject }) => (scope === 'resource' ? [subject] : []));
  const slugs = await resources.listSlugs(tx, ids);
  return caps.map((cap) => ({ ...cap, subjectId: cap.subject, subject: slugs.get(cap.subject) ?? cap.subject }));
}

function openMailClient({ config, sandbox }: Infrastructure, stack: AsyncDisposableStack): notices.NoticesDeps['mail'] {
  const options = toMailOptions(config);
  if (options === null) {
    return sandbox ? 'sink' : null;
  }
  const mail = openMail(options);
  stack.defer(() => mail.close());
  return mail;
}

function toChats(integrations: connections.IntegrationDeps): notices.NoticesDeps['chats'] {
  const { telegram, discord } = connections;
  return {
    openTelegram: (ownerId) => connections.openConnection(integrations, telegram, ownerId),
    openDiscord: async (ownerId) => {
      const given = await connections.openConnection(integrations, discord, ownerId);
      return given && connections.toDiscordWebhook(given);
    },
    listConnected: (channel, ownerIds) =>
      connections.listConnected(integrations, channel === 'telegram' ? telegram : discord, ownerIds),
    refuse: (service, { ownerId, secret: apiKey, problem }) =>
      connections.refuseKey(integrations, { service, ownerId, apiKey, problem }),
  };
}

function toSources(
  { integrations, models, payments, resourcesDeps, findOperatorKeyProblem, log }: Watched & Pick<Infrastructure, 'log'>,
  adminEmails: readonly string[],
): notices.WatchSources {
  return {
    listBalances: () => connections.listBalances(integrations),
    listOwed,
    listErrorRates,
    listLosses,
    listSlugs: resources.listSlugs,
    listSold: (tx) => resources.listSold({ ...resourcesDeps, log }, tx),
    listModelUses: (tx) => resources.listModelUses(resourcesDeps, tx),
    quoteSold: (tx, resourceId) => resources.quoteSold({ ...resourcesDeps, log }, tx, resourceId),
    listEndingModels: (until) => catalogue.listEndingModels(models, until),
    findModelId: (name) => catalogue.findModelId(models, name),
    listSubstitutes: (model, asked) => catalogue.listPricedSubstitutes(models, model, asked),
    listUsedCaps: async (tx, leastPart) => nameSubjects(tx, await listUsedCaps(tx, leastPart)),
    findOperatorKeyProblem,
    listGas: () => listGas(payments),
    listOperators: (tx) => listOperators(tx, adminEmails),
  };
}
