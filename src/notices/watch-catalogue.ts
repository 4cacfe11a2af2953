import { setImmediate as letOthers } from 'node:timers/promises';
import { Big } from 'big.js';
import type { Tx } from '#database/index.ts';
import type { EventData, SubstituteOffer } from './event.ts';
import type { NoticesDeps } from './notices-deps.ts';
import { lockEvent, observe, tell, type Observation, type Told } from './tell.ts';
import type { WatchedUse, WatchSources } from './watch-sources.ts';

type WatchDeps = Pick<NoticesDeps, 'database' | 'clock'> & { sources: WatchSources };

const DAY_MS = 86_400_000;
/** Days before the end at which it is told again. */
const DAYS_LEFT = [30, 14, 7, 1] as const;
const MOST_SUBSTITUTES = 3;
const USUAL_TOKENS = 1_000;

/** Looks at what time and prices bring: models that end, and resources that cost more than they bring. Bears being repeated. */
export async function watchCatalogue(deps: WatchDeps): Promise<void> {
  await watchEnds(deps);
  await watchMargins(deps);
}

/** A model that an owner's resources ask. */
interface UsedModel {
  ownerId: string;
  modelId: string;
  resources: WatchedUse[];
}

async function watchEnds({ database, clock, sources }: WatchDeps): Promise<void> {
  const now = clock.now();
  const ending = await sources.listEndingModels(toDay(now + DAYS_LEFT[0] * DAY_MS));
  await database.transaction(async (tx) => {
    await lockEvent(tx, 'model_expiring');
    const used = ending.size === 0 ? [] : await findUses(sources, tx, ending);
    const seen: Observation<'model_expiring'>[] = [];
    for (const { ownerId, modelId, resources } of used) {
      const { openrouterId: model, expirationDate: date } = ending.get(modelId) ?? {
        openrouterId: '',
        expirationDate: '',
      };
      const days = Math.round((Date.parse(date) - Date.parse(toDay(now))) / DAY_MS);
      const level = DAYS_LEFT.filter((most) => days <= most).length;
      const data = async (): Promise<EventData['model_expiring']> => {
        const substitutes = await listSubstitutes({ sources, tx }, model, resources);
        return { model, date, days, resources: toSlugs(resources), substitutes };
      };
      seen.push({ ownerId, subject: model, level, data });
    }
    await observe({ tx, clock }, 'model_expiring', { seen, isWhole: true });
  });
}

async function watchMargins({ database, clock, sources }: WatchDeps): Promise<void> {
  await database.transaction(async (tx) => {
    await lockEvent(tx, 'margin_negative');
    const losses = await sources.listLosses(tx, new Date(clock.now() - DAY_MS));
    const lossOf = new Map(losses.map((loss) => [loss.resourceId, loss]));
    const seen: Observation<'margin_negative'>[] = [];
    for await (const page of sources.listSold(tx)) {
      for (const resource of page.filter(({ priceUsdc }) => priceUsdc !== '0')) {
        const { ownerId, resourceId, slug, priceUsdc } = resource;
        const typicalUsd = (await resource.quote())?.typicalUsd ?? null;
        // A cost is told from memory: without a pause nothing else would be served while thousands are.
        await letOthers();
        const loss = lossOf.get(resourceId);
        if (loss || (typicalUsd !== null && new Big(typicalUsd).gt(priceUsdc))) {
          const lost = loss ? { earnedUsdc: loss.earnedUsdc, costUsd: loss.costUsd } : null;
          seen.push({ ownerId, subject: resourceId, level: 1, data: { slug, priceUsdc, typicalUsd, lost } });
        }
      }
    }
    await observe({ tx, clock }, 'margin_negative', { seen, isWhole: true });
  });
}

/** The catalogue as a sync has just left it. */
export interface ChangedCatalogue {
  syncId: string;
  /** By the uuids of the models. */
  changed: ReadonlyMap<
    string,
    { openrouterId: string; kind: 'price' | 'removed'; before: TokenPrice; after: TokenPrice }
  >;
  findId(name: string): string | null;
}

type TokenPrice = { prompt: string | null; completion: string | null };

/** In the transaction of the sync, with the rights of the system. */
export async function tellCatalogue(
  { clock, sources, tx }: { clock: NoticesDeps['clock']; sources: WatchSources; tx: Tx },
  { changed, findId, syncId: occasion }: ChangedCatalogue,
): Promise<void> {
  if (changed.size === 0) {
    return;
  }
  const findModelId = async (name: string): Promise<string | null> => findId(name);
  const prices: Told<'model_price_changed'>[] = [];
  const gone: Told<'model_gone'>[] = [];
  for (const { ownerId, modelId, resources } of await findUses({ ...sources, findModelId }, tx, changed)) {
    const change = changed.get(modelId);
    const told = { ownerId, subject: change?.openrouterId ?? '', occasion };
    const used = { model: told.subject, resources: toSlugs(resources) };
    if (change?.kind === 'price') {
      const data = { ...used, before: toPerMillion(change.before), after: toPerMillion(change.after) };
      prices.push({ ...told, data });
    } else if (change) {
      const substitutes = await listSubstitutes({ sources, tx }, told.subject, resources);
      gone.push({ ...told, data: { ...used, substitutes } });
    }
  }
  await tell({ tx, clock }, 'model_price_changed', prices);
  await tell({ tx, clock }, 'model_gone', gone);
}

async function findUses(
  { listModelUses, findModelId }: Pick<WatchSources, 'listModelUses' | 'findModelId'>,
  tx: Tx,
  asked: ReadonlyMap<string, unknown>,
): Promise<UsedModel[]> {
  const uses = new Map<string, UsedModel>();
  for await (const page of listModelUses(tx)) {
    for (const resource of page) {
      const ids = await Promise.all(resource.models.map((name) => findModelId(name)));
      for (const modelId of new Set(ids.filter((id) => id !== null && asked.has(id)))) {
        const { ownerId } = resource;
        const key = `${ownerId} ${modelId}`;
        const use = uses.get(key) ?? { ownerId, modelId: modelId ?? '', resources: [] };
        use.resources.push(resource);
        uses.set(key, use);
      }
    }
  }
  return [...uses.values()];
}

/** What a typical call of the first of these resources would cost on other models. */
async function listSubstitutes(
  { sources, tx }: { sources: WatchSources; tx: Tx },
  model: string,
  [first]: readonly WatchedUse[],
): Promise<SubstituteOffer[]> {
  const tokens = (first && (await sources.quoteSold(tx, first.resourceId)))?.tokens;
  return sources.listSubstitutes(model, {
    promptTokens: tokens?.typicalInput ?? USUAL_TOKENS,
    completionTokens: tokens?.maxOutput ?? USUAL_TOKENS,
    limit: MOST_SUBSTITUTES,
  });
}

function toSlugs(resources: readonly WatchedUse[]): string[] {
  return resources.map(({ slug }) => slug);
}

function toPerMillion({ prompt, completion }: TokenPrice): TokenPrice {
  const times = (price: string | null): string | null => price && new Big(price).times(1_000_000).toFixed();
  return { prompt: times(prompt), completion: times(completion) };
}

function toDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
